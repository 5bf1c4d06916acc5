-- +goose Up
-- The audit is found by who, what, about what and when. The user or the token of a record has a column of its own.

alter table audit add column actor_key text not null default '';
alter table audit disable trigger audit_keeps;
update audit set actor_key = case
        when coalesce(actor::json ->> 'user_id', '0') <> '0' then 'user/' || (actor::json ->> 'user_id')
        when coalesce(actor::json ->> 'token_id', '') <> '' then 'token/' || (actor::json ->> 'token_id')
        else ''
    end where actor <> '';
alter table audit enable trigger audit_keeps;
create index audit_by_actor on audit (tenant, actor_key, id);
create index audit_by_action on audit (tenant, action, id);
create index audit_by_subject on audit (tenant, subject, id);
create index audit_by_time on audit (tenant, at, id);
