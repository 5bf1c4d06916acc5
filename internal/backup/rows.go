package backup

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"iter"
)

// The sizes of chunks, in bytes. A chunk ends behind a row once it has smallest; on average it has usual.
const (
	smallest = 256 << 10
	usual    = 1 << 20
	largest  = 4 << 20
)

// The kinds of values in an encoded row.
const (
	isNull byte = iota
	isInt
	isText
	isBytes
	isFalse
	isTrue
)

// appendRow encodes a row behind b: its size, and each value with its kind. Values are as [store.Dump.Rows] has them.
func appendRow(b []byte, row []any) ([]byte, error) {
	var encoded []byte
	for _, value := range row {
		switch v := value.(type) {
		case nil:
			encoded = append(encoded, isNull)
		case int64:
			encoded = binary.AppendVarint(append(encoded, isInt), v)
		case string:
			encoded = append(binary.AppendUvarint(append(encoded, isText), uint64(len(v))), v...)
		case []byte:
			encoded = append(binary.AppendUvarint(append(encoded, isBytes), uint64(len(v))), v...)
		case bool:
			kind := isFalse
			if v {
				kind = isTrue
			}
			encoded = append(encoded, kind)
		default:
			return nil, fmt.Errorf("backup: a value is a %T", value)
		}
	}
	return append(binary.AppendUvarint(b, uint64(len(encoded))), encoded...), nil
}

var errRow = errors.New("backup: a row is not whole")

// decodeRows returns the rows of a chunk.
func decodeRows(chunk []byte) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for len(chunk) > 0 {
			encoded, rest, err := cutBytes(chunk)
			var row []any
			if err == nil {
				chunk = rest
				row, err = decodeRow(encoded)
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// cutBytes splits off bytes that stand behind their number.
func cutBytes(b []byte) (cut, rest []byte, err error) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return nil, nil, errRow
	}
	return b[size : size+int(n)], b[size+int(n):], nil
}

func decodeRow(b []byte) (row []any, err error) {
	for len(b) > 0 {
		kind := b[0]
		b = b[1:]
		switch kind {
		case isNull:
			row = append(row, nil)
		case isInt:
			n, size := binary.Varint(b)
			if size <= 0 {
				return nil, errRow
			}
			row, b = append(row, n), b[size:]
		case isText, isBytes:
			var value []byte
			if value, b, err = cutBytes(b); err != nil {
				return nil, err
			}
			if kind == isText {
				row = append(row, string(value))
			} else {
				row = append(row, value)
			}
		case isFalse, isTrue:
			row = append(row, kind == isTrue)
		default:
			return nil, errRow
		}
	}
	return row, nil
}

// cutter gathers encoded rows into chunks.
type cutter struct {
	chunk []byte
	full  func(chunk []byte) error // is called with each chunk, which it must not keep
}

// add adds a row. Whether the chunk ends behind it depends on the row, and on how large the chunk is.
func (c *cutter) add(row []any) error {
	start := len(c.chunk)
	var err error
	if c.chunk, err = appendRow(c.chunk, row); err != nil {
		return err
	}
	encoded := c.chunk[start:]
	if len(c.chunk) >= largest || len(c.chunk) >= smallest && ends(encoded) {
		return c.flush()
	}
	return nil
}

// ends reports whether a row is one behind which chunks end: for each byte, the chance is one in usual - smallest.
func ends(encoded []byte) bool {
	return uint64(crc32.ChecksumIEEE(encoded)) < uint64(len(encoded))<<32/(usual-smallest)
}

func (c *cutter) flush() error {
	if len(c.chunk) == 0 {
		return nil
	}
	chunk := c.chunk
	c.chunk = c.chunk[:0]
	return c.full(chunk)
}
