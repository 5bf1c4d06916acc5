-- +goose Up
-- Jobs do one thing with many cases. What came of each case is kept for a while.
create table jobs (
    id          text primary key,
    tenant      integer not null references tenants (id),
    owner       text not null,
    actor       text not null,
    role        text not null, -- at the request, as is the clearance
    clearance   text not null,
    action      text not null,
    state       text not null,
    reason      text not null,
    cases       integer not null,
    done        integer not null,
    failed      integer not null,
    next        integer not null, -- the place of the first case that it has not come to
    created_at  integer not null,
    ended_at    integer not null, -- 0: it runs
    taken_by    text not null default '', -- the process that works on it
    taken_until integer not null default 0
);
create index jobs_by_owner on jobs (tenant, owner, id);
create index jobs_running on jobs (id) where state = 'running';
create index jobs_ended on jobs (ended_at) where state <> 'running';
create table job_cases (
    job     text not null references jobs (id),
    place   integer not null,
    case_id integer not null,
    result  text not null default 'waiting',
    fault   text not null default '',
    primary key (job, place)
);
