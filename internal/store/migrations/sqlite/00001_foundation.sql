-- +goose Up
-- Times are microseconds since 1970, UTC. JSON is kept as text: it is stored and
-- returned, never searched in.

create table installation (
    name  text primary key,
    value text not null
);

create table tenants (
    id         integer primary key autoincrement,
    key        text not null unique,
    name       text not null,
    created_at integer not null
);

create table tokens (
    id         text primary key,
    tenant     integer not null references tenants (id),
    name       text not null,
    hash       blob not null,
    created_at integer not null,
    expires_at integer not null -- 0: never
);
create index tokens_by_tenant on tokens (tenant, id);

create table case_types (
    tenant     integer not null references tenants (id),
    key        text not null,
    version    integer not null,
    definition text not null,
    created_at integer not null,
    primary key (tenant, key, version)
);

create table callback_secrets (
    tenant     integer not null references tenants (id),
    type       text not null,
    transition text not null,
    secret     blob not null, -- sealed
    created_at integer not null,
    primary key (tenant, type, transition)
);

-- Counters give references and outcome instances their numbers.
create table counters (
    tenant integer not null references tenants (id),
    name   text not null,
    value  integer not null,
    primary key (tenant, name)
);

create table cases (
    id               integer primary key,
    tenant           integer not null references tenants (id),
    type             text not null,
    type_version     integer not null,
    reference        text not null,
    name             text not null,
    name_set         boolean not null,
    color            text not null,
    state            text not null,
    classification   text not null,
    data             text not null,
    version          integer not null,
    revision         integer not null,
    outcome_instance integer not null,
    created_at       integer not null,
    modified_at      integer not null,
    search           text not null, -- lower-cased reference, name and values
    unique (tenant, type, reference)
);
create index cases_by_time on cases (tenant, created_at, id);
create index cases_by_type on cases (tenant, type, created_at, id);
create index cases_by_state on cases (tenant, type, state, created_at, id);

create table journal (
    id       integer primary key autoincrement,
    tenant   integer not null,
    subject  text not null,
    version  integer not null,
    at       integer not null,
    actor    text not null,
    facts    text not null,
    snapshot text not null,
    callback text not null -- '' where none was asked
);
create index journal_by_subject on journal (tenant, subject, id);

create table comments (
    id      text primary key,
    tenant  integer not null references tenants (id),
    case_id integer not null,
    text    text not null,
    actor   text not null,
    at      integer not null
);
create index comments_by_case on comments (tenant, case_id, id);

create table attachments (
    id         text primary key,
    tenant     integer not null references tenants (id),
    case_id    integer not null,
    sort       text not null, -- document or proof
    key        text not null,
    filename   text not null,
    media_type text not null,
    blob       text not null,
    size       integer not null,
    sha256     text not null,
    version    integer not null,
    actor      text not null,
    at         integer not null
);
create index attachments_by_case on attachments (tenant, case_id, sort, id);
create index attachments_by_blob on attachments (blob);

-- Contents of attachments, where they are kept in the database.
create table blobs (
    key     text not null,
    part    integer not null,
    at      integer not null,
    content blob not null,
    primary key (key, part)
);

create table idempotency (
    tenant    integer not null,
    token     text not null,
    operation text not null,
    key       text not null,
    request   text not null, -- a hash of it
    status    integer not null,
    header    text not null,
    body      blob not null,
    at        integer not null,
    primary key (tenant, token, operation, key)
);
create index idempotency_by_time on idempotency (at);

create table endpoints (
    id         text primary key,
    tenant     integer not null references tenants (id),
    name       text not null,
    url        text not null,
    status     text not null,
    policy     text not null,
    secrets    blob not null, -- sealed
    revision   integer not null,
    created_at integer not null,
    updated_at integer not null
);
create index endpoints_by_tenant on endpoints (tenant, id);
create unique index endpoints_by_name on endpoints (tenant, name) where name <> '';

create table subscriptions (
    tenant   integer not null,
    trigger_name text not null,
    endpoint text not null references endpoints (id) on delete cascade,
    primary key (endpoint, trigger_name)
);
create index subscriptions_by_trigger on subscriptions (tenant, trigger_name, endpoint);

-- Who delivers for an endpoint. The epoch grows with every change of owner; a
-- write under an older one changes nothing.
create table leases (
    endpoint text primary key,
    tenant   integer not null,
    owner    text not null, -- a node
    epoch    integer not null
);

-- The processes that deliver, and until when their signs of life are good; so
-- long are their leases.
create table nodes (
    id    text primary key,
    until integer not null
);

-- How far an endpoint has been served: everything at or below position is
-- settled.
create table cursors (
    id         text primary key,
    tenant     integer not null,
    endpoint   text not null,
    position   integer not null,
    created_at integer not null,
    updated_at integer not null
);
create index cursors_by_endpoint on cursors (endpoint);

-- One row per lane that waits: its first owed message.
create table parked (
    tenant   integer not null,
    cursor   text not null references cursors (id) on delete cascade,
    lane     text not null,
    seq      integer not null,
    part     integer not null, -- which message of the entry
    message  text not null,
    tries    integer not null, -- requests made, for the header
    failures integer not null, -- those that count for the schedule
    due      integer not null,
    reason   text not null,
    primary key (cursor, lane)
);

-- Messages that were given up.
create table dead (
    endpoint text not null,
    message  text not null,
    tenant   integer not null,
    cursor   text not null,
    seq      integer not null,
    part     integer not null,
    subject  text not null,
    trigger_name text not null,
    at       integer not null,
    reason   text not null,
    primary key (endpoint, message)
);
create index dead_by_cursor on dead (cursor, seq);

create table attempts (
    id            integer primary key autoincrement,
    tenant        integer not null,
    endpoint      text not null,
    cursor        text not null,
    seq           integer not null,
    part          integer not null,
    message       text not null,
    subject       text not null,
    trigger_name  text not null,
    number        integer not null,
    at            integer not null,
    duration      integer not null, -- microseconds
    address       text not null,
    status        integer not null,
    class         text not null,
    delivered     boolean not null,
    request       text not null,  -- its headers, secrets redacted
    response      text not null,  -- its headers and the beginning of its body
    body_sha256   text not null
);
create index attempts_by_cursor on attempts (cursor, seq) where delivered;
create index attempts_by_endpoint on attempts (tenant, endpoint, id);
create index attempts_by_subject on attempts (tenant, subject, id);

-- The single writer's rowid is the position. autoincrement, because an emptied
-- rowid table would begin again at 1.
create view journal_seq as select id as seq, id as entry from journal;

