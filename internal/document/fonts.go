package document

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/font/opentype/tables"
)

// Fonts are the fonts of documents: the built-in families first, then those of folders, which are read
// when no known family has a character. It is safe for concurrent use, and shared by all documents.
type Fonts struct {
	folders []string // of any fonts
	system  []string // of which Noto alone is used
	working chan struct{}

	mu       sync.Mutex
	families []*family
	files    map[string]fontFile
	loaded   map[*cut]*font.Font
	size     int64 // of what is loaded
}

// family is one design, in up to two weights.
type family struct {
	name          string
	region        string // how its Chinese, Japanese and Korean characters look: JP, KR, SC, TC or HK; else empty
	regular, bold *cut   // bold is nil where there is none
}

// cut is one weight of a family.
type cut struct {
	family string
	file   string // a path; of a built-in font, its name
	index  int    // in a collection
	size   int64
	aspect font.Aspect
	cmap   font.Cmap
	open   func(file string) (fontSource, error)
}

// fontSource is the content of a font file.
type fontSource interface {
	opentype.Resource
	Close() error
}

// fontFile records the content of a file when it was last read.
type fontFile struct {
	size     int64
	modified time.Time
	cuts     []*cut
}

const (
	maxFontFiles = 10_000   // that are looked at in all folders
	maxFontSize  = 64 << 20 // bytes of one file
	maxLoaded    = 96 << 20 // bytes of the fonts that are kept for the next document
)

//go:embed fonts/*.woff
var builtIn embed.FS

// NewFonts returns the built-in fonts, and with them those of the folders, and the
// Noto fonts of the system's folders. Folders need not exist.
func NewFonts(folders, system []string) *Fonts {
	return &Fonts{
		folders: folders, system: system,
		working:  make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
		families: builtInFamilies(),
		files:    map[string]fontFile{},
		loaded:   map[*cut]*font.Font{},
	}
}

// SystemFolders returns where the operating system keeps fonts.
func SystemFolders() []string {
	switch runtime.GOOS {
	case "windows":
		return []string{filepath.Join(os.Getenv("WINDIR"), "Fonts")}
	case "darwin":
		return []string{"/Library/Fonts", "/System/Library/Fonts"}
	}
	return []string{"/usr/local/share/fonts", "/usr/share/fonts"}
}

var builtInFamilies = sync.OnceValue(func() []*family {
	entries, err := builtIn.ReadDir("fonts")
	if err != nil {
		panic("document: the built-in fonts can't be listed: " + err.Error())
	}
	var cuts []*cut
	for _, entry := range entries {
		found, err := readCuts("fonts/"+entry.Name(), openBuiltIn)
		if err != nil {
			panic("document: a built-in font can't be read: " + err.Error())
		}
		cuts = append(cuts, found...)
	}
	return families(cuts)
})

// builtInFont is a built-in font. It needs no closing.
type builtInFont struct{ opentype.Resource }

func (builtInFont) Close() error { return nil }

func openBuiltIn(name string) (fontSource, error) {
	data, err := builtIn.ReadFile(name)
	return builtInFont{bytes.NewReader(data)}, err
}

func openFile(path string) (fontSource, error) { return os.Open(path) }

// readCuts reads which characters the fonts in a file have. It skips fonts of bitmaps or colours alone,
// which documents can't show.
func readCuts(file string, open func(string) (fontSource, error)) ([]*cut, error) {
	source, err := open(file)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	loaders, err := opentype.NewLoaders(source)
	if err != nil {
		return nil, err
	}
	size, err := source.Seek(0, 2)
	if err != nil {
		return nil, err
	}
	var cuts []*cut
	for i, loader := range loaders {
		if !hasOutlines(loader) {
			continue
		}
		cmap, err := readCmap(loader)
		if err != nil {
			return nil, err
		}
		about, _ := font.Describe(loader, nil)
		cuts = append(cuts, &cut{
			family: about.Family,
			file:   file,
			index:  i,
			size:   size,
			aspect: about.Aspect,
			cmap:   cmap,
			open:   open,
		})
	}
	return cuts, nil
}

func hasOutlines(l *opentype.Loader) bool {
	has := func(name string) bool { return l.HasTable(opentype.MustNewTag(name)) }
	return (has("glyf") || has("CFF ") || has("CFF2")) && !has("CBDT") && !has("COLR") && !has("sbix") && !has("SVG ")
}

func readCmap(l *opentype.Loader) (font.Cmap, error) {
	raw, err := l.RawTable(opentype.MustNewTag("cmap"))
	if err != nil {
		return nil, err
	}
	table, _, err := tables.ParseCmap(raw)
	if err != nil {
		return nil, err
	}
	cmap, _, err := font.ProcessCmap(table, tables.FPNone)
	return cmap, err
}

// families joins cuts to families, in the order of preference: upright sans serif first. Of each family it
// has the regular weight and the bold one.
func families(cuts []*cut) []*family {
	byName := map[string]*family{}
	for _, c := range cuts {
		if c.aspect.Style == font.StyleItalic || c.aspect.Stretch != font.StretchNormal {
			continue
		}
		f := byName[c.family]
		if f == nil {
			f = &family{name: c.family, region: regionOf(c.family)}
			byName[c.family] = f
		}
		if c.aspect.Weight >= font.WeightSemibold {
			f.bold = nearest(f.bold, c, font.WeightBold)
		} else {
			f.regular = nearest(f.regular, c, font.WeightNormal)
		}
	}
	for _, f := range byName {
		if f.regular == nil {
			f.regular, f.bold = f.bold, nil
		}
	}
	return slices.SortedFunc(maps.Values(byName), func(a, b *family) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), strings.Compare(a.name, b.name))
	})
}

func nearest(a, b *cut, weight font.Weight) *cut {
	distance := func(c *cut) font.Weight { return max(c.aspect.Weight-weight, weight-c.aspect.Weight) }
	if a == nil || distance(b) < distance(a) {
		return b
	}
	return a
}

func (f *family) rank() int {
	switch {
	case strings.Contains(f.name, "Mono"):
		return 3
	case f.name == "Noto Sans":
		return 0
	case strings.HasPrefix(f.name, "Noto Sans "):
		return 1
	}
	return 2
}

func (c *cut) has(r rune) bool {
	_, ok := c.cmap.Lookup(r)
	return ok
}

// regionOf returns the region at the end of a family's name.
func regionOf(name string) string {
	for _, region := range []string{"JP", "KR", "SC", "TC", "HK"} {
		if strings.HasSuffix(name, " "+region) {
			return region
		}
	}
	return ""
}

// read looks through the folders. Files that have not changed are not read again.
func (f *Fonts) read(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	files := map[string]fontFile{}
	all := slices.Clone(builtInFamilies())
	for i, folder := range slices.Concat(f.folders, f.system) {
		var cuts []*cut
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err == nil && isFont(path, entry) && len(files) < maxFontFiles {
				files[path] = f.readFile(path, entry)
				cuts = append(cuts, files[path].cuts...)
			}
			return nil // a folder that can't be read has no fonts
		})
		if err != nil {
			return err
		}
		if i >= len(f.folders) {
			cuts = slices.DeleteFunc(cuts, func(c *cut) bool { return !strings.HasPrefix(c.family, "Noto ") })
		}
		all = append(all, families(cuts)...)
	}
	f.files, f.families = files, all
	return nil
}

func isFont(path string, entry fs.DirEntry) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".ttf", ".otf", ".ttc", ".otc", ".woff":
		return !entry.IsDir()
	}
	return false
}

func (f *Fonts) readFile(path string, entry fs.DirEntry) fontFile {
	info, err := os.Stat(path) // follows a link
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxFontSize {
		return fontFile{}
	}
	if known, ok := f.files[path]; ok && known.size == info.Size() && known.modified.Equal(info.ModTime()) {
		return known
	}
	cuts, err := readCuts(path, openFile)
	if err != nil {
		cuts = nil // no font
	}
	return fontFile{size: info.Size(), modified: info.ModTime(), cuts: cuts}
}

// known returns the families that are known so far.
func (f *Fonts) known() []*family {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.families
}

// load returns the font of a cut. Loaded fonts stay until they are larger than maxLoaded together.
func (f *Fonts) load(c *cut) (*font.Font, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ready := f.loaded[c]; ready != nil {
		return ready, nil
	}
	source, err := c.open(c.file)
	if err != nil {
		return nil, fmt.Errorf("document: opening a font: %w", err)
	}
	defer source.Close()
	loaders, err := opentype.NewLoaders(source)
	if err != nil || c.index >= len(loaders) {
		return nil, fmt.Errorf("document: reading the font %s: %v", c.file, err)
	}
	ready, err := font.NewFont(loaders[c.index])
	if err != nil {
		return nil, fmt.Errorf("document: reading the font %s: %w", c.file, err)
	}
	if f.size+c.size > maxLoaded {
		clear(f.loaded)
		f.size = 0
	}
	f.loaded[c] = ready
	f.size += c.size
	return ready, nil
}
