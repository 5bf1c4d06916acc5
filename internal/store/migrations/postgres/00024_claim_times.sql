-- +goose Up
-- When a case last became open, when its assignee got it, and who committed last.
-- The journal tells what went before. Where that was removed, a case counts
-- as open since its creation, and the other two are not known.
alter table cases add column opened_at bigint not null default 0; -- 0: at its creation
alter table cases add column assigned_at bigint not null default 0; -- 0: no-one has it, or it is not known
alter table cases add column last_activity_by bigint not null default 0; -- a user; 0: a program, or it is not known

update cases set
    opened_at = coalesce((
        select max(j.at) from journal j
        where j.tenant = cases.tenant and j.subject = 'case/' || cases.id and j.facts like '%"case.reopened"%'
            and exists (select 1 from json_array_elements(j.facts::json) f where f ->> 'name' = 'case.reopened')
    ), created_at),
    last_activity_by = coalesce((
        select (j.actor::json ->> 'user_id')::bigint from journal j
        where j.tenant = cases.tenant and j.subject = 'case/' || cases.id
        order by j.id desc limit 1
    ), 0);

update cases set assigned_at = coalesce((
    select max(j.at) from journal j
    where j.tenant = cases.tenant and j.subject = 'case/' || cases.id and j.facts like '%"case.assigned"%'
        and exists (select 1 from json_array_elements(j.facts::json) f where f ->> 'name' = 'case.assigned')
), 0)
where assignee <> 0;
