package event

// CaseDeleted: the case is gone; the entry's snapshot is the last of it.
var CaseDeleted = define[NoDetails](90, "case.deleted", "A case was deleted.")
