package store

import "testing"

func TestColumnsOfRowsMayStandOnSeveralLines(t *testing.T) {
	const inLine = `select r.id from rows($1: id bigint, name text, at bigint) as r`
	const broken = `select r.id from rows($1:
			id bigint,
			name text , at bigint
		) as r`
	want := [2]string{
		sqlite: `select r.id from (select value ->> 0 as id, value ->> 1 as name, value ->> 2 as at` +
			` from jsonb_each($1)) as r`,
		postgres: `select r.id from (select cast(value ->> 0 as bigint) as id, cast(value ->> 1 as text) as name,` +
			` cast(value ->> 2 as bigint) as at from jsonb_array_elements(cast($1 as jsonb))) as r`,
	}
	for d, text := range want {
		for _, source := range []string{inLine, broken} {
			if got := dialect(d).render(source); got != text {
				t.Errorf("%q is\n%s, want\n%s", source, got, text)
			}
		}
	}
}
