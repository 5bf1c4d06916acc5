package event

// ContactDeleted: the contact is gone; the entry's snapshot is the last of it.
var ContactDeleted = define[NoDetails](130, "contact.deleted", "A contact was deleted.")
