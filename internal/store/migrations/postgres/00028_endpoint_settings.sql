-- +goose Up
-- All settings of an endpoint that no statement searches are one JSON object, so that a new
-- one needs no column: endpoint.Document. Columns are left for what is searched or joined,
-- for what delivery and retention write by themselves, and for the sealed secrets.

alter table endpoints add column settings text not null default '';
update endpoints set settings = cast(cast(policy as jsonb) || jsonb_build_object(
    'format', 1, 'url', url, 'description', description, 'filter', condition, 'token', token, 'owner', owner,
    'metadata', cast(nullif(metadata, '') as jsonb), 'sources', string_to_array(nullif(sources, ''), ' '),
    'ignore_own', ignore_own
) as text);

alter table endpoints drop column url;
alter table endpoints drop column description;
alter table endpoints drop column metadata;
alter table endpoints drop column sources;
alter table endpoints drop column ignore_own;
alter table endpoints drop column condition;
alter table endpoints drop column token;
alter table endpoints drop column owner;
alter table endpoints drop column policy;
