package sheets

import (
	"maps"
	"slices"
	"strings"
)

// The sheets that are read.
const (
	Jurisdiction         = "Jurisdiction"
	CaseType             = "CaseType"
	CaseField            = "CaseField"
	ComplexTypes         = "ComplexTypes"
	FixedLists           = "FixedLists"
	State                = "State"
	CaseEvent            = "CaseEvent"
	EventFields          = "CaseEventToFields"
	EventMembers         = "EventToComplexTypes"
	CaseRoles            = "CaseRoles"
	RoleToAccessProfiles = "RoleToAccessProfiles"
	TypeAccess           = "AuthorisationCaseType"
	FieldAccess          = "AuthorisationCaseField"
	EventAccess          = "AuthorisationCaseEvent"
	StateAccess          = "AuthorisationCaseState"
	MemberAccess         = "AuthorisationComplexType"
	UserProfile          = "UserProfile"   // has e-mail addresses of people: no row of it is ever read
	ChangeHistory        = "ChangeHistory" // for people
)

// The columns that several sheets have.
const (
	AccessProfile = "AccessProfile"
	userRoles     = "UserRoles"
	accessControl = "AccessControl"
)

// live are columns of almost all sheets, which nothing depends on.
const live = "LiveFrom LiveTo "

// known maps each sheet to its columns, as the published templates have them.
var known = map[string]string{
	Jurisdiction: "ID Name Description Shuttered",
	CaseType: "ID Name Description JurisdictionID SecurityClassification PrintableDocumentsUrl " +
		"RetriesTimeoutURLPrintEvent CallbackGetCaseUrl RetriesGetCaseUrl",
	CaseField: "CaseTypeID ID Label HintText FieldType FieldTypeParameter SecurityClassification Min Max " +
		"RegularExpression DefaultHidden Searchable CategoryID",
	ComplexTypes: "ID ListElementCode FieldType FieldTypeParameter ElementLabel HintText SecurityClassification Min " +
		"Max RegularExpression DefaultHidden FieldShowCondition DisplayOrder DisplayContextParameter Searchable " +
		"CategoryID RetainHiddenValue",
	FixedLists: "ID ListElementCode ListElement DisplayOrder",
	State:      "CaseTypeID ID Name Description DisplayOrder TitleDisplay",
	CaseEvent: "CaseTypeID ID Name Description DisplayOrder PreConditionState(s) PostConditionState " +
		"EventEnablingCondition SecurityClassification CallBackURLAboutToStartEvent CallBackURLAboutToSubmitEvent " +
		"CallBackURLSubmittedEvent RetriesTimeoutAboutToStartEvent RetriesTimeoutURLAboutToSubmitEvent " +
		"RetriesTimeoutURLSubmittedEvent EndButtonLabel ShowSummary ShowSummaryChangeOption ShowEventNotes " +
		"CanSaveDraft SignificantEvent Publish TTLIncrement PreCondition PostCondition",
	EventFields: "CaseTypeID CaseEventID CaseFieldID DisplayContext DisplayContextParameter PageID PageLabel " +
		"PageDisplayOrder PageFieldDisplayOrder PageColumnNumber PageShowCondition FieldShowCondition " +
		"CaseEventFieldLabel CaseEventFieldHint ShowSummaryChangeOption ShowSummaryContentOption " +
		"CallBackURLMidEvent RetriesTimeoutURLMidEvent DefaultValue NullifyByDefault RetainHiddenValue Publish " +
		"PublishAs",
	EventMembers: "CaseTypeID ID CaseEventID CaseFieldID ListElementCode EventElementLabel EventHintText " +
		"FieldDisplayOrder PageFieldDisplayOrder DisplayContext DisplayContextParameter FieldShowCondition " +
		"DefaultValue NullifyByDefault RetainHiddenValue Publish PublishAs",
	CaseRoles: "CaseTypeID ID Name Description",
	RoleToAccessProfiles: "CaseTypeID RoleName AccessProfiles ReadOnly Disabled Authorisation " +
		"CaseAccessCategories",
	TypeAccess:   "CaseTypeID AccessProfile CRUD",
	FieldAccess:  "CaseTypeID CaseFieldID AccessProfile CRUD",
	EventAccess:  "CaseTypeID CaseEventID AccessProfile CRUD",
	StateAccess:  "CaseTypeID CaseStateID AccessProfile CRUD",
	MemberAccess: "CaseTypeID CaseFieldID ListElementCode AccessProfile CRUD",
}

// leftOut are the sheets that are not imported, with the reason.
var leftOut = map[string]string{
	"CaseTypeTab":             "tabs are not imported",
	"SearchInputFields":       aboutLists,
	"SearchResultFields":      aboutLists,
	"WorkBasketInputFields":   aboutLists,
	"WorkBasketResultFields":  aboutLists,
	"SearchCasesResultFields": aboutLists,
	"SearchAlias":             "names for searches across case types are not imported",
	"Categories":              "folders of documents are not imported",
	"Banner":                  "banners are not imported",
	"SearchParty":             otherService,
	"SearchCriteria":          otherService,
	"AccessType":              otherService,
	"AccessTypeRole":          otherService,
	"ChallengeQuestion":       otherService,

	"NoCActionInterpretationRequired": otherService,
	"NoticeOfChangeConfig":            otherService,
}

const (
	aboutLists   = "columns of lists and searches are not imported"
	otherService = "belongs to a service of another product, and is not imported"
)

// otherSheetNames maps the other names of sheets.
var otherSheetNames = map[string]string{"caseeventtocomplextypes": EventMembers, "complextype": ComplexTypes,
	"fixedlist": FixedLists}

// otherColumnNames maps the other names of columns.
var otherColumnNames = map[string]string{
	"userrole":                           AccessProfile,
	"preconditionstate":                  "PreConditionState(s)",
	"preconditionstates":                 "PreConditionState(s)",
	"retriestimeouturlabouttostartevent": "RetriesTimeoutAboutToStartEvent",
}

// Names of sheets and of the columns of each, by their name in small letters.
var sheetNames, columnNames = index()

func index() (sheets map[string]string, columns map[string]map[string]string) {
	sheets, columns = maps.Clone(otherSheetNames), map[string]map[string]string{}
	for sheet, list := range known {
		sheets[strings.ToLower(sheet)] = sheet
		names := map[string]string{}
		for column := range strings.FieldsSeq(live + list) {
			names[strings.ToLower(column)] = column
		}
		for other, column := range otherColumnNames {
			if names[strings.ToLower(column)] != "" {
				names[other] = column
			}
		}
		columns[sheet] = names
	}
	for sheet := range leftOut {
		sheets[strings.ToLower(sheet)] = sheet
	}
	for _, sheet := range []string{UserProfile, ChangeHistory} {
		sheets[strings.ToLower(sheet)] = sheet
	}
	return sheets, columns
}

// sheetNamed returns a sheet by a name of it, or "".
func sheetNamed(name string) string { return sheetNames[strings.ToLower(strings.TrimSpace(name))] }

// signature lists columns that tell a sheet, whatever its name is.
type signature struct {
	sheet   string
	columns []string
	not     string // a column that tells another sheet
}

var signatures = []signature{
	{FixedLists, []string{"ID", "ListElementCode", "ListElement"}, ""},
	{ComplexTypes, []string{"ID", "ListElementCode", "FieldType"}, ""},
	{EventMembers, []string{"ID", "CaseEventID", "CaseFieldID", "ListElementCode"}, ""},
	{EventFields, []string{"CaseTypeID", "CaseEventID", "CaseFieldID", "DisplayContext"}, "ListElementCode"},
	{CaseField, []string{"CaseTypeID", "ID", "FieldType"}, ""},
	{CaseEvent, []string{"CaseTypeID", "ID", "PostConditionState"}, ""},
	{CaseType, []string{"ID", "Name", "JurisdictionID"}, ""},
	{RoleToAccessProfiles, []string{"CaseTypeID", "RoleName", "AccessProfiles"}, ""},
	{FieldAccess, []string{"CaseTypeID", "CaseFieldID", "CRUD"}, "ListElementCode"},
	{MemberAccess, []string{"CaseTypeID", "CaseFieldID", "ListElementCode", "CRUD"}, ""},
	{EventAccess, []string{"CaseTypeID", "CaseEventID", "CRUD"}, ""},
	{StateAccess, []string{"CaseTypeID", "CaseStateID", "CRUD"}, ""},
}

// sheetOf returns the sheet that has the columns, or "".
func sheetOf(columns []string) string {
	has := func(column string) bool {
		return slices.ContainsFunc(columns, func(c string) bool {
			return strings.EqualFold(strings.TrimSpace(c), column)
		})
	}
	for _, s := range signatures {
		lacks := slices.ContainsFunc(s.columns, func(column string) bool { return !has(column) })
		if !lacks && (s.not == "" || !has(s.not)) {
			return s.sheet
		}
	}
	return ""
}

// identity maps a sheet to the columns that identify a row.
var identity = map[string][]string{
	Jurisdiction:         {"ID"},
	CaseType:             {"ID"},
	CaseField:            {"CaseTypeID", "ID"},
	ComplexTypes:         {"ID", "ListElementCode"},
	FixedLists:           {"ID", "ListElementCode"},
	State:                {"CaseTypeID", "ID"},
	CaseEvent:            {"CaseTypeID", "ID"},
	EventFields:          {"CaseTypeID", "CaseEventID", "CaseFieldID"},
	EventMembers:         {"CaseEventID", "CaseFieldID", "ListElementCode"},
	CaseRoles:            {"CaseTypeID", "ID"},
	RoleToAccessProfiles: {"CaseTypeID", "RoleName"},
	TypeAccess:           {"CaseTypeID", AccessProfile},
	FieldAccess:          {"CaseTypeID", "CaseFieldID", AccessProfile},
	EventAccess:          {"CaseTypeID", "CaseEventID", AccessProfile},
	StateAccess:          {"CaseTypeID", "CaseStateID", AccessProfile},
	MemberAccess:         {"CaseTypeID", "CaseFieldID", "ListElementCode", AccessProfile},
}
