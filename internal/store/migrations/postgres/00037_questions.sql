-- +goose Up
-- The questions that callbacks were asked, and what came of them. Those of a change that was saved are written with it.
create table questions (
    id            bigint generated always as identity primary key,
    tenant        bigint not null,
    at            bigint not null,
    case_id       bigint not null, -- 0: a creation that was refused
    version       bigint not null, -- that the change led to; 0: nothing was saved
    case_type     text not null,
    other_type    text not null,    -- the case's other type, in a switch
    transition    text not null,
    url           text not null,    -- as configured, without its query
    url_class     text not null,
    webhook_id    text not null,
    attempts      bigint not null,
    duration      bigint not null, -- microseconds
    status        bigint not null,
    verdict       text not null,
    code          text not null,
    failure       text not null,
    override      text not null,
    body_sha256   text not null,
    answer        text not null,    -- the beginning of its body
    changes       text not null,
    class         text not null,    -- who sees the answer
    case_class    text not null,
    actor         text not null
);
create index questions_by_case on questions (tenant, case_id, id);
