package server

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/document"
	"github.com/casehook/casehook/internal/fault"
)

func TestFontsComeFromTheDataFolderAndFromTheOptions(t *testing.T) {
	t.Parallel()
	font, err := os.ReadFile("../document/testdata/fonts/NotoSansCJK-Subset.ttc")
	if err != nil {
		t.Fatal(err)
	}
	data, folder := t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(data, "fonts"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]struct {
		path   string
		config Config
	}{
		"fonts in the data folder": {filepath.Join(data, "fonts"), Config{Data: data}},
		"a folder of their own":    {folder, Config{Data: t.TempDir(), Fonts: folder}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(in.path, "cjk.ttc"), font, 0o600); err != nil {
				t.Fatal(err)
			}
			pdf, err := in.config.fonts().Render(t.Context(), document.Doc{Text: "合同"})
			if err != nil || !strings.Contains(string(pdf), "NotoSansCJK") {
				t.Errorf("%d bytes, %v", len(pdf), err)
			}
		})
	}
}

func TestAFolderOfFontsThatIsNotThereIsRefused(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(),
		Config{Data: t.TempDir(), Listen: "127.0.0.1:0", Fonts: filepath.Join(t.TempDir(), "no")})
	if f := fault.As(err); !errors.Is(err, fault.Invalid) || f.Code != "config.fonts" {
		t.Errorf("%v, want config.fonts", err)
	}
}
