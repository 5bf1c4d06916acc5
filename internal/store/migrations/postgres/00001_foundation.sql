-- +goose Up
-- Times are microseconds since 1970, UTC. JSON is kept as text: it is stored and
-- returned, never searched in.

create table installation (
    name  text primary key,
    value text not null
);

create table tenants (
    id         bigint generated always as identity primary key,
    key        text not null unique,
    name       text not null,
    created_at bigint not null
);

create table tokens (
    id         text primary key,
    tenant     bigint not null references tenants (id),
    name       text not null,
    hash       bytea not null,
    created_at bigint not null,
    expires_at bigint not null -- 0: never
);
create index tokens_by_tenant on tokens (tenant, id);

create table case_types (
    tenant     bigint not null references tenants (id),
    key        text not null,
    version    bigint not null,
    definition text not null,
    created_at bigint not null,
    primary key (tenant, key, version)
);

create table callback_secrets (
    tenant     bigint not null references tenants (id),
    type       text not null,
    transition text not null,
    secret     bytea not null, -- sealed
    created_at bigint not null,
    primary key (tenant, type, transition)
);

-- Counters give references and outcome instances their numbers.
create table counters (
    tenant bigint not null references tenants (id),
    name   text not null,
    value  bigint not null,
    primary key (tenant, name)
);

create table cases (
    id               bigint primary key,
    tenant           bigint not null references tenants (id),
    type             text not null,
    type_version     bigint not null,
    reference        text not null,
    name             text not null,
    name_set         boolean not null,
    color            text not null,
    state            text not null,
    classification   text not null,
    data             text not null,
    version          bigint not null,
    revision         bigint not null,
    outcome_instance bigint not null,
    created_at       bigint not null,
    modified_at      bigint not null,
    search           text not null, -- lower-cased reference, name and values
    unique (tenant, type, reference)
);
create index cases_by_time on cases (tenant, created_at, id);
create index cases_by_type on cases (tenant, type, created_at, id);
create index cases_by_state on cases (tenant, type, state, created_at, id);

create table journal (
    id       bigint generated always as identity primary key,
    tenant   bigint not null,
    subject  text not null,
    version  bigint not null,
    at       bigint not null,
    actor    text not null,
    facts    text not null,
    snapshot text not null,
    callback text not null -- '' where none was asked
);
create index journal_by_subject on journal (tenant, subject, id);

create table comments (
    id      text primary key,
    tenant  bigint not null references tenants (id),
    case_id bigint not null,
    text    text not null,
    actor   text not null,
    at      bigint not null
);
create index comments_by_case on comments (tenant, case_id, id);

create table attachments (
    id         text primary key,
    tenant     bigint not null references tenants (id),
    case_id    bigint not null,
    sort       text not null, -- document or proof
    key        text not null,
    filename   text not null,
    media_type text not null,
    blob       text not null,
    size       bigint not null,
    sha256     text not null,
    version    bigint not null,
    actor      text not null,
    at         bigint not null
);
create index attachments_by_case on attachments (tenant, case_id, sort, id);
create index attachments_by_blob on attachments (blob);

-- Contents of attachments, where they are kept in the database.
create table blobs (
    key     text not null,
    part    bigint not null,
    at      bigint not null,
    content bytea not null,
    primary key (key, part)
);

create table idempotency (
    tenant    bigint not null,
    token     text not null,
    operation text not null,
    key       text not null,
    request   text not null, -- a hash of it
    status    bigint not null,
    header    text not null,
    body      bytea not null,
    at        bigint not null,
    primary key (tenant, token, operation, key)
);
create index idempotency_by_time on idempotency (at);

create table endpoints (
    id         text primary key,
    tenant     bigint not null references tenants (id),
    name       text not null,
    url        text not null,
    status     text not null,
    policy     text not null,
    secrets    bytea not null, -- sealed
    revision   bigint not null,
    created_at bigint not null,
    updated_at bigint not null
);
create index endpoints_by_tenant on endpoints (tenant, id);
create unique index endpoints_by_name on endpoints (tenant, name) where name <> '';

create table subscriptions (
    tenant   bigint not null,
    trigger_name text not null,
    endpoint text not null references endpoints (id) on delete cascade,
    primary key (endpoint, trigger_name)
);
create index subscriptions_by_trigger on subscriptions (tenant, trigger_name, endpoint);

-- Who delivers for an endpoint. The epoch grows with every change of owner; a
-- write under an older one changes nothing.
create table leases (
    endpoint text primary key,
    tenant   bigint not null,
    owner    text not null, -- a node
    epoch    bigint not null
);

-- The processes that deliver, and until when their signs of life are good; so
-- long are their leases.
create table nodes (
    id    text primary key,
    until bigint not null
);

-- How far an endpoint has been served: everything at or below position is
-- settled.
create table cursors (
    id         text primary key,
    tenant     bigint not null,
    endpoint   text not null,
    position   bigint not null,
    created_at bigint not null,
    updated_at bigint not null
);
create index cursors_by_endpoint on cursors (endpoint);

-- One row per lane that waits: its first owed message.
create table parked (
    tenant   bigint not null,
    cursor   text not null references cursors (id) on delete cascade,
    lane     text not null,
    seq      bigint not null,
    part     bigint not null, -- which message of the entry
    message  text not null,
    tries    bigint not null, -- requests made, for the header
    failures bigint not null, -- those that count for the schedule
    due      bigint not null,
    reason   text not null,
    primary key (cursor, lane)
);

-- Messages that were given up.
create table dead (
    endpoint text not null,
    message  text not null,
    tenant   bigint not null,
    cursor   text not null,
    seq      bigint not null,
    part     bigint not null,
    subject  text not null,
    trigger_name text not null,
    at       bigint not null,
    reason   text not null,
    primary key (endpoint, message)
);
create index dead_by_cursor on dead (cursor, seq);

create table attempts (
    id            bigint generated always as identity primary key,
    tenant        bigint not null,
    endpoint      text not null,
    cursor        text not null,
    seq           bigint not null,
    part          bigint not null,
    message       text not null,
    subject       text not null,
    trigger_name  text not null,
    number        bigint not null,
    at            bigint not null,
    duration      bigint not null, -- microseconds
    address       text not null,
    status        bigint not null,
    class         text not null,
    delivered     boolean not null,
    request       text not null,  -- its headers, secrets redacted
    response      text not null,  -- its headers and the beginning of its body
    body_sha256   text not null
);
create index attempts_by_cursor on attempts (cursor, seq) where delivered;
create index attempts_by_endpoint on attempts (tenant, endpoint, id);
create index attempts_by_subject on attempts (tenant, subject, id);

-- Identities commit out of order, so that paging by them would skip. Committed
-- entries move from pending to a dense position, in id order.
create table journal_pending (
    entry bigint primary key
);
create table journal_seq (
    seq   bigint primary key,
    entry bigint not null unique
);
create table journal_head (
    one   boolean primary key default true check (one),
    seq   bigint not null
);
insert into journal_head (seq) values (0);

