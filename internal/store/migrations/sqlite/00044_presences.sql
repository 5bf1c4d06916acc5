-- +goose Up
-- Who looks at a case, or edits it. A row lasts until a time, unless it is reported again.
create table presences (
    tenant  integer not null references tenants (id),
    case_id integer not null,
    owner   text not null,
    user_id integer not null,
    name    text not null,
    editing boolean not null,
    since   integer not null,
    until   integer not null,
    primary key (tenant, case_id, owner)
);
create index presences_by_until on presences (until);
