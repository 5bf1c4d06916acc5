package event

// CaseMigrated: the case works by a newer version of its type from now on.
var CaseMigrated = define[Migration](16, "case.migrated", "A case was moved to a newer version of its case type.")

// Migration names the versions of the case type.
type Migration struct {
	From int64 `json:"from_version"`
	To   int64 `json:"to_version"`
}
