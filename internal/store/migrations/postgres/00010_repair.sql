-- +goose Up
-- Replays: bounded cursors over what has been told before. What is asked of whoever
-- delivers for an endpoint. Messages that were given up, and are tried again or dropped.

alter table cursors add column replay boolean not null default false;
alter table leases add column wishes bigint not null default 0; -- grows when its owner is to look what is asked of it

create table replays (
    id         text primary key, -- that of its cursor too, while it runs
    tenant     bigint not null,
    endpoint   text not null,
    kind       text not null, -- replay, resend or retry
    state      text not null, -- running, done or cancelled
    after_seq  bigint not null, -- it begins above this position
    until_seq  bigint not null, -- and ends at this one
    position   bigint not null, -- where it ended; where it is while it runs, its cursor says
    triggers   text not null, -- what it tells, with spaces between; empty: all that the endpoint listens to
    subject    text not null, -- what it tells of; empty: everything
    messages   bigint not null, -- how many it names; 0: none, it tells a range
    delivered  bigint not null,
    dead       bigint not null,
    asked_by   text not null,
    created_at bigint not null,
    ended_at   bigint not null -- 0: it runs
);
create index replays_by_endpoint on replays (tenant, endpoint, id);

-- The messages that a replay names.
create table replay_messages (
    replay  text not null references replays (id) on delete cascade,
    seq     bigint not null,
    part    bigint not null,
    message text not null,
    primary key (replay, seq, part)
);

-- Of the message that waits; empty while it is not known.
alter table parked add column subject text not null default '';
alter table parked add column trigger_name text not null default '';

-- What is asked of parked messages, until it is done.
create table wishes (
    cursor  text not null references cursors (id) on delete cascade,
    message text not null,
    wish    text not null, -- retry or drop
    primary key (cursor, message)
);

alter table dead add column state text not null default 'dead'; -- dead, retrying, dropped or delivered
alter table dead add column replay text not null default ''; -- that tries it again, or in which it was given up again
create index dead_by_endpoint on dead (tenant, endpoint, state, seq, part);
create index dead_by_replay on dead (replay, seq) where replay <> '';

