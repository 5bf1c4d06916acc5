package ccd

import (
	"regexp"
	"strings"
)

// builtIn has the members of the complex types that every definition may use. Text(50) has 50 characters at most, and
// [Fee] is a collection of Fee.
var builtIn = map[string]string{
	"AddressUK":       address,
	"AddressGlobalUK": address,
	"AddressGlobal":   address,
	"OrderSummary":    "PaymentReference Text, Fees [Fee], PaymentTotal MoneyGBP",
	"Fee":             "FeeCode Text, FeeDescription Text, FeeAmount MoneyGBP, FeeVersion Text",
	"CaseLink": "CaseReference TextCaseReference, ReasonForLink [LinkReason], CreatedDateTime DateTime, " +
		"CaseType Text",
	"LinkReason":   "Reason Text, OtherDescription Text",
	"Organisation": "OrganisationID Text, OrganisationName Text",
	"PreviousOrganisation": "FromTimestamp DateTime, ToTimestamp DateTime, OrganisationName Text, " +
		"OrganisationAddress AddressUK",
	"OrganisationPolicy": "Organisation Organisation, OrgPolicyCaseAssignedRole Text, OrgPolicyReference Text, " +
		"PrepopulateToUsersOrganisation YesOrNo, PreviousOrganisations [PreviousOrganisation], " +
		"LastNoCRequestedBy Email, newCase YesOrNo",
	"ChangeOrganisationRequest": "OrganisationToAdd Organisation, OrganisationToRemove Organisation, " +
		"CaseRoleId DynamicList, Reason Text, NotesReason Text, RequestTimestamp DateTime, ApprovalStatus Number, " +
		"ApprovalRejectionTimestamp DateTime, CreatedBy Email",
	"CaseLocation": "region Region, baseLocation BaseLocation",
	"Flags":        "roleOnCase Text, partyName Text, details [FlagDetails], groupId Text, visibility Text",
	"FlagDetails": "name Text, name_cy Text, subTypeValue Text, subTypeValue_cy Text, subTypeKey Text, " +
		"otherDescription Text, otherDescription_cy Text, flagComment Text, flagComment_cy Text, " +
		"flagUpdateComment Text, dateTimeModified DateTime, dateTimeCreated DateTime, path [Text], " +
		"hearingRelevant YesOrNo, flagCode Text, status Text, availableExternally YesOrNo",
	"JudicialUser":   "idamId Text, personalCode Text",
	"TTL":            "SystemTTL Date, OverrideTTL Date, Suspended YesOrNo",
	"SearchCriteria": "OtherCaseReferences [Text], SearchParties [SearchParty]",
	"SearchParty": "Name Text, EmailAddress Text, AddressLine1 Text, PostCode Text, DateOfBirth Date, " +
		"DateOfDeath Date",
	"CaseQueriesCollection": "partyName Text, roleOnCase Text, caseMessages [CaseMessage]",
	"CaseMessage": "id Text, subject Text, name Text, body Text, attachments [Document], isHearingRelated YesOrNo, " +
		"hearingDate Date, createdOn DateTime, createdBy Text, parentId Text, isClosed YesOrNo, messageType Text, " +
		"isHmctsStaff YesOrNo",
	"CaseAccessGroup": "caseAccessGroupType Text, caseAccessGroupId Text",
}

const address = "AddressLine1 Text(150), AddressLine2 Text(50), AddressLine3 Text(50), PostTown Text(50), " +
	"County Text(50), PostCode Text(14), Country Text(50)"

// builtInCollections are types that are collections of complex types.
var builtInCollections = map[string]string{"CaseAccessGroups": "CaseAccessGroup"}

// builtInMember is a member of a built-in complex type.
type builtInMember struct {
	name, fieldType, parameter, max string
}

var bounded = regexp.MustCompile(`^(\w+)\((\d+)\)$`)

// builtInMembers lists the members of a built-in complex type in their order.
func builtInMembers(id string) (all []builtInMember) {
	for one := range strings.SplitSeq(builtIn[id], ", ") {
		name, kind, _ := strings.Cut(one, " ")
		m := builtInMember{name: name, fieldType: kind}
		if found := bounded.FindStringSubmatch(kind); found != nil {
			m.fieldType, m.max = found[1], found[2]
		}
		if item, isCollection := strings.CutPrefix(kind, "["); isCollection {
			m.fieldType, m.parameter = "Collection", strings.TrimSuffix(item, "]")
		}
		all = append(all, m)
	}
	return all
}
