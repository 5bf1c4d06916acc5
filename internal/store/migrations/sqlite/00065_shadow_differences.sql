-- +goose Up
-- Where the answer of a callback's shadow differs from that of the callback: the last ones of each callback.
create table shadow_differences (
    id         integer primary key autoincrement,
    tenant     integer not null,
    at         integer not null, -- when the shadow was asked
    case_id    integer not null, -- 0: a creation
    case_type  text not null,
    other_type text not null, -- the case's other type, in a switch
    transition text not null,
    question   text not null,
    page       text not null,
    callback   text not null,
    url        text not null, -- of the shadow, as configured, without its query
    url_class  text not null,
    webhook_id text not null, -- that the callback was asked with
    shadow_id  text not null, -- that the shadow was asked with
    status     integer not null,
    live       text not null, -- the verdict of the callback
    verdict    text not null, -- that of the shadow
    failure    text not null,
    duration   integer not null, -- microseconds
    changes    text not null,
    class      text not null, -- who sees messages
    case_class text not null
);
create index shadow_differences_by_callback on shadow_differences (tenant, case_type, transition, id);
create index shadow_differences_by_time on shadow_differences (at);
