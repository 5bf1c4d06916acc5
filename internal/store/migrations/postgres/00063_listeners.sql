-- +goose Up
-- Whose machines answer the questions that their own submissions cause, each until a time.
create table listeners (
    tenant bigint not null references tenants (id),
    owner  text not null,
    until  bigint not null,
    primary key (tenant, owner)
);
create index listeners_by_until on listeners (until);
-- Where a listener's machine is asked: the path of the URL in whose place it is.
alter table open_questions add column path text not null default '';
