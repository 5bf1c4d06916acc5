-- +goose Up
-- The submitted callbacks that are to be asked about what is saved. A process has a row until a time; then another may ask.
create table owed_questions (
    id             integer primary key,
    tenant         integer not null references tenants (id),
    case_id        integer not null,
    version        integer not null,
    before_version integer not null,
    transition     text not null,
    webhook_id     text not null,
    cases          text not null,
    actor          text not null,
    role           text not null,
    clearance      text not null,
    context        text not null,
    takes          integer not null default 1,
    taken_by       text not null,
    taken_until    integer not null
);
create index owed_questions_by_case on owed_questions (tenant, case_id, version);
create index owed_questions_by_time on owed_questions (taken_until);
