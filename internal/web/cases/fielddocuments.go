package cases

import (
	"context"
	"encoding/json"
	"net/url"

	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/web/ui"
)

// documentLink is a document in a case. One that is kept elsewhere has no path.
type documentLink struct{ Name, Path string }

// linkOf returns the link of a document.
func linkOf(document map[string]any) documentLink {
	at, _ := document[casetype.DocumentURL].(string)
	name, _ := document[casetype.DocumentFilename].(string)
	link := documentLink{Name: name}
	if name == "" {
		link.Name = at
	}
	if id := casework.FieldDocumentID(at); id != "" {
		link.Path = "/documents/" + id
	}
	return link
}

// linksOf returns the links of a value that is a document, or a list of documents.
func (f field) linksOf(value any) (links []documentLink) {
	switch {
	case f.Widget == documentWidget:
		if document, isObject := value.(map[string]any); isObject && len(document) > 0 {
			links = append(links, linkOf(document))
		}
	case f.Widget == listWidget && f.Item.Widget == documentWidget:
		items, _ := value.([]any)
		for _, item := range items {
			if members, isObject := item.(map[string]any); isObject && f.HasIDs {
				item = members["value"]
			}
			links = append(links, f.Item.linksOf(item)...)
		}
	}
	return links
}

// newDocument answers with where a script sends a file, and with the value of a field that names it then.
func (h handler) newDocument(ctx context.Context, r *ui.Request) (ui.View, error) {
	d, grant, err := h.services.Documents.Create(ctx, r.Principal, r.Form("filename"))
	if err != nil {
		return ui.View{}, err
	}
	token, err := r.Seal(rest.UploadToken, grant)
	if err != nil {
		return ui.View{}, err
	}
	path, err := binaryPath(d)
	if err != nil {
		return ui.View{}, err
	}
	value, err := json.Marshal(map[string]string{
		casetype.DocumentURL: d.URL, casetype.DocumentBinaryURL: d.BinaryURL(), casetype.DocumentFilename: d.Filename,
	})
	return ui.View{Body: uploadTo(path+"?upload="+token, string(value), linkOf(map[string]any{
		casetype.DocumentURL: d.URL, casetype.DocumentFilename: d.Filename,
	})), Part: true}, err
}

// document leads to the contents of a document.
func (h handler) document(ctx context.Context, r *ui.Request) (ui.View, error) {
	d, grant, err := h.services.Documents.Document(ctx, r.Principal, r.Path("document"))
	if err != nil {
		return ui.View{}, err
	}
	token, err := r.Seal(rest.DownloadToken, grant)
	if err != nil {
		return ui.View{}, err
	}
	path, err := binaryPath(d)
	return ui.Redirect(path + "?download=" + token), err
}

// binaryPath returns the path of the contents of a document at this server, under whichever name the browser found it.
func binaryPath(d casework.StoredDocument) (string, error) {
	at, err := url.Parse(d.BinaryURL())
	if err != nil {
		return "", err
	}
	return at.EscapedPath(), nil
}
