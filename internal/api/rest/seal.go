package rest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	byteorder "encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/casehook/casehook/internal/fault"
)

// sealer seals the data that clients keep for the server: positions in lists, and the contents of cookies. A client
// can neither read it, which would show how many rows other tenants have, nor forge it.
type sealer struct{ aead cipher.AEAD }

func newSeals(key []byte) sealer {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("rest: " + err.Error())
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("rest: " + err.Error())
	}
	return sealer{aead}
}

// Seal returns the cursor of a position in the named list.
func (k *Kernel) Seal(name string, position any) (string, error) {
	plain, err := json.Marshal(position)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(k.seals.aead.Seal(nil, nil, plain, []byte("cursor/"+name))), nil
}

// The names under which tokens are sealed.
const (
	StartToken    = "start"             // of starts
	UploadToken   = "document-upload"   // in URLs to upload a document
	DownloadToken = "document-download" // in URLs to download a document
)

// Open reads a cursor of the named list; the empty one leaves the position as it is.
func (k *Kernel) Open(name, cursor string, position any) error {
	if cursor == "" {
		return nil
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		var plain []byte
		if plain, err = k.seals.aead.Open(nil, nil, sealed, []byte("cursor/"+name)); err == nil {
			err = json.Unmarshal(plain, position)
		}
	}
	if err != nil {
		return &fault.Error{Kind: fault.Invalid, Code: "request.cursor_invalid", Err: err,
			Detail: "The cursor is not from this list. Start again without it.",
			Fields: []fault.Field{{Path: "query.cursor", Message: "is not a cursor of this list"}}}
	}
	return nil
}

// SealedIDs converts row numbers to ids. Rows of all tenants are numbered together, so the ids hide the numbers: a
// tenant could tell from them how much others do. The id of a number never changes.
type SealedIDs struct {
	prefix string
	block  cipher.Block
}

// SealedIDs returns the conversion to ids with a prefix.
func (k *Kernel) SealedIDs(prefix string) SealedIDs { return newSealedIDs(prefix, k.config.Key) }

func newSealedIDs(prefix string, key []byte) SealedIDs {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("ids " + prefix))
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		panic("rest: " + err.Error()) // the key has the length of a hash
	}
	return SealedIDs{prefix, block}
}

// Seal returns the id of a tenant's number.
func (ids SealedIDs) Seal(tenant, number int64) string {
	var b [aes.BlockSize]byte
	byteorder.BigEndian.PutUint64(b[:8], uint64(tenant))
	byteorder.BigEndian.PutUint64(b[8:], uint64(number))
	ids.block.Encrypt(b[:], b[:])
	return ids.prefix + hex.EncodeToString(b[:])
}

// Open returns the number of a tenant's id. For any other text it returns 0, which no
// row has.
func (ids SealedIDs) Open(tenant int64, id string) int64 {
	rest, ok := strings.CutPrefix(id, ids.prefix)
	b, err := hex.DecodeString(rest)
	if !ok || err != nil || len(b) != aes.BlockSize {
		return 0
	}
	ids.block.Decrypt(b, b)
	number := int64(byteorder.BigEndian.Uint64(b[8:]))
	if byteorder.BigEndian.Uint64(b[:8]) != uint64(tenant) || ids.Seal(tenant, number) != id {
		return 0
	}
	return number
}
