-- +goose Up
-- Files that were uploaded as values of fields, and the cases that name them. One that no case has named since a time is
-- removed after a while.
create table field_documents (
    id            text primary key,
    tenant        integer not null references tenants (id),
    owner         text not null, -- the user or the token that may use it until a case names it
    filename      text not null,
    media_type    text not null,
    blob          text not null, -- empty: it is not uploaded yet
    size          integer not null,
    sha256        text not null,
    actor         text not null,
    at            integer not null,
    unnamed_since integer not null -- 0: a case names it
);
create index field_documents_by_owner on field_documents (tenant, owner) where unnamed_since > 0;
create index field_documents_by_time on field_documents (unnamed_since) where unnamed_since > 0;
create index field_documents_by_blob on field_documents (blob);

create table field_document_cases (
    tenant   integer not null,
    document text not null,
    case_id  integer not null,
    primary key (tenant, document, case_id)
);
create index field_document_cases_by_case on field_document_cases (tenant, case_id);
