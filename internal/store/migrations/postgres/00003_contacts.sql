-- +goose Up
create table contacts (
    id          bigint primary key,
    tenant      bigint not null references tenants (id),
    details     text not null,
    version     bigint not null,
    created_at  bigint not null,
    modified_at bigint not null,
    search      text not null -- lower-cased names, email and phones
);
create index contacts_by_time on contacts (tenant, created_at, id);

-- A case's contacts are on its row, so that whoever locks it sees the newest;
-- this table finds the cases of a contact.
alter table cases add column contacts text not null default '[]';

create table case_contacts (
    tenant  bigint not null references tenants (id),
    contact bigint not null references contacts (id),
    case_id bigint not null,
    role    text not null,
    primary key (tenant, contact, case_id, role)
);
create index case_contacts_by_case on case_contacts (tenant, case_id);
