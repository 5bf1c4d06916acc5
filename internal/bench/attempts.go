package bench

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver
)

// copyAttempts repeats the attempts that a database has until there are about so many more. One of 50 has failed: by a
// timeout, or with 503.
const copyAttempts = `insert into attempts (tenant, endpoint, cursor, seq, part, message, subject, trigger_name, number,
		at, duration, address, status, class, delivered, request, response, body_sha256)
	with recursive copies(n) as (select 1 union all select n + 1 from copies where n < %d)
	select tenant, endpoint, cursor, seq, part, message, subject, trigger_name, number + n,
		at + n, duration, address,
		case when (id + n) %% 50 <> 0 then status when n %% 2 = 0 then 503 else 0 end,
		case when (id + n) %% 50 = 0 and n %% 2 = 1 then 'timeout' else class end,
		(id + n) %% 50 <> 0, request, response, body_sha256
	from copies, attempts
	where id <= (select max(id) from attempts)
	order by n, id
	limit %d`

// multiplyAttempts restarts a server with more attempts than it has made, so that there are so many.
func (b *bench) multiplyAttempts(ctx context.Context, s *server, made, wanted int) error {
	more := wanted - made
	if more <= 0 {
		return nil
	}
	b.progress("copying attempts until there are %d", wanted)
	statement := fmt.Sprintf(copyAttempts, (more+made-1)/made, more)
	return b.restartAfter(ctx, s, func(folder string) error {
		driver, source := "sqlite", "file:"+filepath.Join(folder, "data", "casehook.db")+
			"?_pragma=synchronous(off)&_pragma=cache_size(-200000)"
		if s.data.url != "" {
			driver, source = "pgx", s.data.url
		}
		db, err := sql.Open(driver, source)
		if err != nil {
			return err
		}
		defer db.Close()
		_, err = db.ExecContext(ctx, statement)
		return err
	})
}
