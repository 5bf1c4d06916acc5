-- +goose Up
-- The questions to callbacks that wait for a worker, until a deadline. One that is closed keeps its outcome for a minute.
create table open_questions (
    id            bigint generated always as identity primary key, -- no id is used again: a late answer must reach no other question
    tenant        bigint not null references tenants (id),
    queue         text not null,
    listener      text not null, -- whose machine is asked; empty: any worker's of the queue
    case_type     text not null,
    other_type    text not null, -- the case's other type, in a switch
    level         bigint not null, -- of the classification of what it shows
    callback      text not null,
    header        text not null,
    body          text not null,
    deadline      bigint not null,
    claimed_until bigint not null default 0, -- 0: nobody has claimed it
    answered      boolean not null default false,
    closed        boolean not null default false, -- the asker waits no more
    answer        text not null default '',
    answerer      text not null default ''
);
create index open_questions_by_queue on open_questions (tenant, queue, listener, id);
create index open_questions_by_deadline on open_questions (deadline);
-- Who answered a question, where that was no URL.
alter table questions add column answerer text not null default '';
