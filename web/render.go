package web

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"strings"

	"vigia/collectors"
	"vigia/store"
)

//go:embed templates/*.html
var templateFiles embed.FS

// pageSet is every page's template in one language, by the name of its file.
type pageSet map[string]*template.Template

// sharedFiles are parsed into every page.
var sharedFiles = []string{"templates/layout.html", "templates/shared.html", "templates/sprite.html"}

// companions are further files of one page.
var companions = map[string][]string{"templates/object.html": {"templates/device.html"}}

// parsePages parses each page once for each language.
func parsePages(words collectors.Words) (map[collectors.Lang]pageSet, error) {
	names, err := templateFiles.ReadDir("templates")
	if err != nil {
		return nil, err
	}
	sets := map[collectors.Lang]pageSet{}
	for _, lang := range []collectors.Lang{collectors.English, collectors.Spanish} {
		say := &speaker{words: words, lang: lang}
		shared, err := template.New("").Funcs(template.FuncMap{"t": say.t, "count": say.count}).ParseFS(templateFiles, sharedFiles...)
		if err != nil {
			return nil, fmt.Errorf("parse the pages' frame: %w", err)
		}
		sets[lang] = pageSet{}
		for _, n := range names {
			file := "templates/" + n.Name()
			if path.Ext(file) != ".html" || contains(sharedFiles, file) || contains(companions["templates/object.html"], file) {
				continue
			}
			page, err := shared.Clone()
			if err == nil {
				page, err = page.ParseFS(templateFiles, append([]string{file}, companions[file]...)...)
			}
			if err != nil {
				return nil, fmt.Errorf("parse the page %s: %w", n.Name(), err)
			}
			sets[lang][strings.TrimSuffix(n.Name(), ".html")] = page
		}
	}
	return sets, nil
}

func contains(list []string, s string) bool {
	for _, one := range list {
		if one == s {
			return true
		}
	}
	return false
}

// errNoPart says that a page has no part of the name that was asked for.
var errNoPart = errors.New("no such part")

// show answers with a page, or with the parts of it that were asked for.
func (s *Server) show(v *visit, status int, f *frame) error {
	page := s.pages[v.lang][f.File]
	if page == nil {
		return fmt.Errorf("there is no template %s", f.File)
	}
	var body bytes.Buffer
	if v.partial() && v.scripted() {
		if err := renderParts(page, &body, f, v.r.URL.Query().Get("part")); err != nil {
			return err
		}
	} else if err := page.ExecuteTemplate(&body, f.outer(), f); err != nil {
		return fmt.Errorf("write the page %s: %w", f.File, err)
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "HX-Request, Accept-Language, Cookie")
	if v.r.Method == http.MethodHead {
		v.w.WriteHeader(status)
		return nil
	}
	return s.send(v, status, body.Bytes())
}

// renderParts writes parts one after the other. A name that the page lacks is left out; when nothing is left it is an error.
func renderParts(page *template.Template, to *bytes.Buffer, f *frame, names string) error {
	found := false
	for name := range strings.SplitSeq(names, ",") {
		part := page.Lookup("part-" + name)
		if part == nil {
			continue
		}
		found = true
		if err := part.Execute(to, f); err != nil {
			return fmt.Errorf("write the part %s of %s: %w", name, f.File, err)
		}
	}
	if !found {
		return errNoPart
	}
	return nil
}

func (s *Server) send(v *visit, status int, body []byte) error {
	if status != http.StatusOK {
		_, err := v.w.Write(withStatus(v.w, status, body))
		return gone(err)
	}
	return gone(s.packers.write(v.w, v.r, body))
}

func withStatus(w http.ResponseWriter, status int, body []byte) []byte {
	w.WriteHeader(status)
	return body
}

// gone makes nothing of an error in writing: the reader has gone, and there is nobody to tell.
func gone(error) error { return nil }

// answer turns what a page returned into an answer.
func (s *Server) answer(v *visit, err error) {
	var form errForm
	switch {
	case err == nil, errors.Is(err, errRefused):
	case errors.Is(err, store.ErrNotFound), errors.Is(err, errNoPart):
		s.errorPage(v, http.StatusNotFound, "web.notfound.why")
	case errors.As(err, &form):
		s.errorPage(v, form.status(), "web.form.why")
	case errors.Is(err, context.Canceled) && errors.Is(v.r.Context().Err(), context.Canceled): // the reader has gone
	default:
		s.cfg.Logger.Error("a page could not be made", "path", v.r.URL.Path, "err", err)
		s.errorPage(v, http.StatusInternalServerError, "web.broken.why")
	}
}

// errorBody is what an error's page shows.
type errorBody struct {
	Head, Why string
	Path      string
	Retry     bool
}

// errorPage writes the page of an error. It reads nothing, so that it works when the store does not.
func (s *Server) errorPage(v *visit, status int, why string) {
	head := map[int]string{
		http.StatusForbidden: "refused.head", http.StatusNotFound: "notfound.head", http.StatusBadRequest: "form.head",
		http.StatusRequestEntityTooLarge: "form.head", http.StatusConflict: "standby.head",
	}[status]
	if head == "" {
		head = "broken.head"
	}
	body := errorBody{Head: v.t(head), Why: v.reason(collectors.Because(why)), Path: v.r.URL.Path, Retry: status >= 500}
	if status >= 500 && v.asksBanner() && s.onlyBanner(v) == nil {
		return
	}
	if v.scripted() {
		v.w.Header().Set("HX-Trigger", trigger("vigia:failed", body.Why, ""))
		http.Error(v.w, body.Why, status)
		return
	}
	f := s.frame(v, "error", "", body.Head)
	f.Bare = true
	f.Body = body
	if err := s.show(v, status, f); err != nil {
		http.Error(v.w, body.Why, status)
	}
}

// onlyBanner answers with the banners alone: the page keeps the rest as it stands, and says why it gets no younger.
func (s *Server) onlyBanner(v *visit) error {
	q := v.r.URL.Query()
	q.Set("part", "banner")
	v.r.URL.RawQuery = q.Encode()
	return s.show(v, http.StatusOK, s.frame(v, "error", "", ""))
}

// trigger is the value of HX-Trigger that tells the page's scripts what a person's act did. Header values are ASCII.
func trigger(event, say, undo string) string {
	text, err := json.Marshal(map[string]any{event: map[string]string{"say": say, "undo": undo}})
	if err != nil {
		return event
	}
	return ascii(string(text))
}

// ascii writes what is beyond ASCII as JSON escapes.
func ascii(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		}
	}
	return b.String()
}
