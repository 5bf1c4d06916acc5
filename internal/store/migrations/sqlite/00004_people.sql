-- +goose Up
create table users (
    id         integer primary key autoincrement,
    tenant     integer not null references tenants (id),
    email      text not null, -- in lower case
    name       text not null,
    role       text not null,
    clearance  text not null,
    password   text not null, -- argon2id in PHC form; '': none
    issuer     text not null, -- of the OpenID Connect identity; '': none
    subject    text not null,
    disabled   boolean not null,
    epoch      integer not null, -- sessions of another epoch are over
    revision   integer not null,
    created_at integer not null,
    updated_at integer not null,
    unique (tenant, email)
);
create unique index users_by_identity on users (tenant, issuer, subject) where issuer <> '';

alter table tokens add column role text not null default 'admin';
alter table tokens add column clearance text not null default 'RESTRICTED';
alter table tokens add column last_used_at integer not null default 0; -- 0: never; at most a minute behind
alter table tokens add column allowed text not null default ''; -- address ranges, space-separated; '': all

create table sessions (
    id         text primary key, -- a hash of what the cookie holds
    user_id    integer not null, -- 0: nobody has signed in
    data       blob not null,
    expires_at integer not null
);
create index sessions_by_user on sessions (user_id);
create index sessions_by_time on sessions (expires_at);

-- Failed sign-ins in a row, by account and by address.
create table signin_failures (
    key      text primary key,
    failures integer not null,
    at       integer not null, -- of the last
    until    integer not null  -- no attempt before
);
create index signin_failures_by_time on signin_failures (at);

create table audit (
    id      integer primary key autoincrement,
    tenant  integer not null references tenants (id),
    at      integer not null,
    action  text not null,
    subject text not null, -- what it was done to: "user/7"
    actor   text not null,
    detail  text not null
);
create index audit_by_tenant on audit (tenant, id);

-- +goose StatementBegin
create trigger audit_keeps_on_update before update on audit begin
    select raise(abort, 'the audit is append-only');
end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger audit_keeps_on_delete before delete on audit begin
    select raise(abort, 'the audit is append-only');
end;
-- +goose StatementEnd
