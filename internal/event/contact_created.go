package event

// ContactCreated: a contact was committed for the first time.
var ContactCreated = define[NoDetails](110, "contact.created", "A contact was created.")
