-- +goose Up
-- Ids of cases and contacts are their tenant's own: small ones, which a tenant draws in
-- turn, others draw as well. A primary key can't be changed here, so that the tables are
-- written anew.

create table cases_by_tenant (
    id                 integer not null,
    tenant             integer not null references tenants (id),
    type               text not null,
    type_version       integer not null,
    reference          text not null,
    name               text not null,
    name_set           boolean not null,
    color              text not null,
    state              text not null,
    classification     text not null,
    data               text not null,
    version            integer not null,
    revision           integer not null,
    outcome_instance   integer not null,
    created_at         integer not null,
    modified_at        integer not null,
    search             text not null, -- lower-cased reference, name and values
    labels             text not null default '', -- slugs, sorted, with a space between
    assignee           integer not null default 0, -- a user; 0: no-one
    assignee_name      text not null default '',
    closed_at          integer not null default 0, -- 0: open
    status_changed_by  integer not null default 0, -- a user; 0: nobody, or a program
    last_activity_at   integer not null default 0,
    contacts           text not null default '[]',
    search_private     text not null default '',
    search_restricted  text not null default '',
    primary key (tenant, id),
    unique (tenant, type, reference)
);

insert into cases_by_tenant (id, tenant, type, type_version, reference, name, name_set, color, state, classification,
        data, version, revision, outcome_instance, created_at, modified_at, search, labels, assignee, assignee_name,
        closed_at, status_changed_by, last_activity_at, contacts, search_private, search_restricted)
    select id, tenant, type, type_version, reference, name, name_set, color, state, classification,
        data, version, revision, outcome_instance, created_at, modified_at, search, labels, assignee, assignee_name,
        closed_at, status_changed_by, last_activity_at, contacts, search_private, search_restricted
    from cases;
drop table cases;
alter table cases_by_tenant rename to cases;

create index cases_by_time on cases (tenant, created_at, id);
create index cases_by_type on cases (tenant, type, created_at, id);
create index cases_by_state on cases (tenant, type, state, created_at, id);
create index cases_by_assignee on cases (tenant, assignee, created_at, id);

create table contacts_by_tenant (
    id          integer not null,
    tenant      integer not null references tenants (id),
    details     text not null,
    version     integer not null,
    created_at  integer not null,
    modified_at integer not null,
    search      text not null, -- lower-cased names, email and phones
    primary key (tenant, id)
);

insert into contacts_by_tenant (id, tenant, details, version, created_at, modified_at, search)
    select id, tenant, details, version, created_at, modified_at, search from contacts;

create table case_contacts_by_tenant (
    tenant  integer not null references tenants (id),
    contact integer not null,
    case_id integer not null,
    role    text not null,
    primary key (tenant, contact, case_id, role),
    foreign key (tenant, contact) references contacts_by_tenant (tenant, id)
);

insert into case_contacts_by_tenant (tenant, contact, case_id, role)
    select tenant, contact, case_id, role from case_contacts;
drop table case_contacts;
drop table contacts;
alter table contacts_by_tenant rename to contacts;
alter table case_contacts_by_tenant rename to case_contacts;

create index contacts_by_time on contacts (tenant, created_at, id);
create index case_contacts_by_case on case_contacts (tenant, case_id);

alter table tenants add column contact_ids text not null default ''; -- sequential; empty: random
