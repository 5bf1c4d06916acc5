-- +goose Up
-- The audit is found by who, what, about what and when. The user or the token of a record has a column of its own.

alter table audit add column actor_key text not null default '';
drop trigger audit_keeps_on_update;
update audit set actor_key = case
        when coalesce(json_extract(actor, '$.user_id'), 0) > 0 then 'user/' || json_extract(actor, '$.user_id')
        when coalesce(json_extract(actor, '$.token_id'), '') <> '' then 'token/' || json_extract(actor, '$.token_id')
        else ''
    end where json_valid(actor);
-- +goose StatementBegin
create trigger audit_keeps_on_update before update on audit begin
    select raise(abort, 'the audit is append-only');
end;
-- +goose StatementEnd
create index audit_by_actor on audit (tenant, actor_key, id);
create index audit_by_action on audit (tenant, action, id);
create index audit_by_subject on audit (tenant, subject, id);
create index audit_by_time on audit (tenant, at, id);
