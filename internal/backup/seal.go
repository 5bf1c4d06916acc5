package backup

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/casehook/casehook/internal/fault"
)

// sealer compresses and seals objects, and names chunks.
type sealer struct {
	aead         cipher.AEAD
	names, nonce []byte // keys
	pack         *zstd.Encoder
	unpack       *zstd.Decoder
}

// largestObject bounds what an object is unpacked to, in bytes: a manifest of some terabytes.
const largestObject = 1 << 30

func newSealer(key []byte) (*sealer, error) {
	derived := map[string][]byte{}
	for _, purpose := range []string{"contents", "names", "nonces"} {
		d, err := hkdf.Key(sha256.New, key, nil, "casehook backup "+purpose, 32)
		if err != nil {
			return nil, err
		}
		derived[purpose] = d
	}
	block, err := aes.NewCipher(derived["contents"])
	if err != nil {
		return nil, err
	}
	s := &sealer{names: derived["names"], nonce: derived["nonces"]}
	if s.aead, err = cipher.NewGCM(block); err != nil {
		return nil, err
	}
	if s.pack, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1)); err != nil {
		return nil, err
	}
	s.unpack, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(largestObject))
	return s, err
}

func mac(key, content []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(content)
	return m.Sum(nil)
}

// chunkName returns the name of the chunk with a content. Without the key, the name tells nothing of the content.
func (s *sealer) chunkName(content []byte) string { return hex.EncodeToString(mac(s.names, content)) }

// chunkPath returns the name of a chunk's object.
func chunkPath(name string) string { return "chunks/" + name[:2] + "/" + name }

// seal returns an object for a content. The nonce is a function of what is sealed, so that it is never used for two
// contents.
func (s *sealer) seal(content []byte, path string) []byte {
	packed := s.pack.EncodeAll(content, nil)
	nonce := mac(s.nonce, append([]byte(path+"\n"), packed...))[:s.aead.NonceSize()]
	return s.aead.Seal(nonce, nonce, packed, []byte(path))
}

// errOpen is the cause of errors of open.
var errOpen = errors.New("it was made with another key, or is damaged")

// open returns the content of an object that seal made for the same path.
func (s *sealer) open(sealed []byte, path string) ([]byte, error) {
	size := s.aead.NonceSize()
	if len(sealed) < size {
		return nil, errDamaged(path, errOpen)
	}
	packed, err := s.aead.Open(nil, sealed[:size], sealed[size:], []byte(path))
	if err != nil {
		return nil, errDamaged(path, errOpen)
	}
	content, err := s.unpack.DecodeAll(packed, nil)
	if err != nil {
		return nil, errDamaged(path, err)
	}
	return content, nil
}

func errDamaged(path string, err error) error {
	return fault.Wrap(fmt.Errorf("%s: %w", path, err), fault.Invalid, "backup.damaged",
		"%s of the backup can't be opened: %v. Restore an older backup (casehook backups lists them), or give the key "+
			"of the installation with --key-file.", path, err)
}
