-- +goose Up
-- What was there before was made by those who see everything.
alter table endpoints add column clearance text not null default 'RESTRICTED';
alter table endpoints add column reached text not null default 'RESTRICTED'; -- the highest clearance it has had
alter table case_types add column clearance text not null default 'RESTRICTED'; -- of who put the version

alter table attachments add column clearance text not null default 'PUBLIC';
update attachments set clearance = 'RESTRICTED' where sort = 'document';

-- search is for every clearance; these hold what needs a higher one in addition.
alter table cases add column search_private text not null default '';
alter table cases add column search_restricted text not null default '';
update cases set search_restricted = search, search = '';
