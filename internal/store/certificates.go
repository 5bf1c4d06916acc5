package store

import (
	"context"
	"encoding/base64"
)

var (
	keptPut = define(`insert into installation (name, value) values ($1, $2)
		on conflict (name) do update set value = excluded.value`)
	keptDelete = define(`delete from installation where name = $1`)
)

func keptPlace(name string) string { return "certificate/" + name }

// Certificate returns what is kept for an ACME authority under a name: a certificate with its key, the key of the
// account, or the answer to a challenge. All processes of an installation share it.
func (r reader) Certificate(ctx context.Context, name string) (data []byte, found bool, err error) {
	rows, err := r.q.query(ctx, installationGet, keptPlace(name))
	all, err := collect(rows, err, scanValue[string])
	if err != nil || len(all) == 0 {
		return nil, false, err
	}
	sealed, err := base64.StdEncoding.DecodeString(all[0])
	if err != nil {
		return nil, false, err
	}
	data, err = r.seal.open(sealed, keptPlace(name))
	return data, err == nil, err
}

// PutCertificate keeps data under a name, sealed.
func (tx *Tx) PutCertificate(ctx context.Context, name string, data []byte) error {
	place := keptPlace(name)
	_, err := tx.q.exec(ctx, keptPut, place, base64.StdEncoding.EncodeToString(tx.seal.seal(data, place)))
	return err
}

// DeleteCertificate removes what is kept under a name. If there is nothing, it does nothing.
func (tx *Tx) DeleteCertificate(ctx context.Context, name string) error {
	_, err := tx.q.exec(ctx, keptDelete, keptPlace(name))
	return err
}
