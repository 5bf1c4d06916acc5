-- +goose Up
-- Jobs do one thing with many cases. What came of each case is kept for a while.
create table jobs (
    id          text primary key,
    tenant      bigint not null references tenants (id),
    owner       text not null,
    actor       text not null,
    role        text not null, -- at the request, as is the clearance
    clearance   text not null,
    action      text not null,
    state       text not null,
    reason      text not null,
    cases       bigint not null,
    done        bigint not null,
    failed      bigint not null,
    next        bigint not null, -- the place of the first case that it has not come to
    created_at  bigint not null,
    ended_at    bigint not null, -- 0: it runs
    taken_by    text not null default '', -- the process that works on it
    taken_until bigint not null default 0
);
create index jobs_by_owner on jobs (tenant, owner, id);
create index jobs_running on jobs (id) where state = 'running';
create index jobs_ended on jobs (ended_at) where state <> 'running';
create table job_cases (
    job     text not null references jobs (id),
    place   bigint not null,
    case_id bigint not null,
    result  text not null default 'waiting',
    fault   text not null default '',
    primary key (job, place)
);
