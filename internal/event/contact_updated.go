package event

// ContactUpdated: a contact's details changed. The paths of the changes are the names of the details.
var ContactUpdated = define[Changes](120, "contact.updated", "A contact was changed.")
