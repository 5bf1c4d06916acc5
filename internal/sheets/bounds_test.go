package sheets

import (
	"archive/zip"
	"bytes"
	"errors"
	"strings"
	"testing"
)

// A small file may unpack to a huge one.
func TestAWorkbookIsNotUnpackedBeyondItsBound(t *testing.T) {
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	part, err := archive.Create("xl/sharedStrings.xml")
	if err == nil {
		_, err = part.Write([]byte("<sst>" + strings.Repeat("<si><t>a</t></si>", 100_000) + "</sst>"))
	}
	if err = errors.Join(err, archive.Close()); err != nil {
		t.Fatal(err)
	}
	read, err := zip.NewReader(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
	if err != nil {
		t.Fatal(err)
	}
	w := workbook{parts: map[string]*zip.File{"texts": read.File[0]}, left: 1_000_000}
	if err := w.readShared("texts"); !errors.Is(err, errUnpacked) {
		t.Errorf("%d texts, %v", len(w.shared), err)
	}
	w.left, w.shared = 2_000_000, nil
	if err := w.readShared("texts"); err != nil || len(w.shared) != 100_000 {
		t.Errorf("%d texts, %v", len(w.shared), err)
	}
}

func TestThereIsABoundForRows(t *testing.T) {
	_, err := Read([]File{{Path: "State.json", Below: "State.json",
		Content: []byte("[" + strings.Repeat("{},", maxRows) + "{}]")}}, Options{})
	if err == nil || !strings.Contains(err.Error(), "more than 1000000 rows") {
		t.Error(err)
	}
}
