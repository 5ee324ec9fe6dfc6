package web

import (
	"strings"
	"testing"
	"time"
)

const testMail = "From: Vig=?UTF-8?Q?=C3=ADa?= <vigia@example.com>\r\nTo: l2@example.com\r\nSubject: =?UTF-8?Q?[Cr=C3=ADtica]_Enlace_sjo-gua?=\r\n" +
	"Message-ID: <i1@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\npierde 11,2 % =C3=A9\r\n" +
	"--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+aG9sYTwvcD48c2NyaXB0PmFsZXJ0KDEpPC9zY3JpcHQ+\r\n--b--\r\n"

func TestDemoInbox(t *testing.T) {
	now := time.Now()
	messages := []DemoMessage{
		{At: now, Kind: "webhook", To: "/noc", Raw: []byte(`{"title":"Link <b>sjo-gua</b>","incident":1}`), Headers: map[string]string{"Idempotency-Key": "i1.l1"}},
		{At: now, Kind: "mail", To: "l2@example.com", Raw: []byte(testMail)},
		{At: now, Kind: "mail", To: "x@example.com", Raw: []byte("no mail at all")},
	}
	w := newTestWorld(t, func(c *Config) { c.Demo = func() []DemoMessage { return messages } })
	a := w.get("/demo")
	got := text(a.find("tag", "main"))
	for _, want := range []string{"2 mails and 1 webhooks", "[Crítica] Enlace sjo-gua", "Link <b>sjo-gua</b>", `"incident": 1`, "i1.l1", "no mail at all"} {
		if !strings.Contains(got, want) {
			t.Errorf("the inbox lacks %q: %q", want, got)
		}
	}
	frame := a.find("tag", "iframe", "sandbox", "")
	if frame == nil {
		t.Fatal("the mail is not in a sandbox")
	}
	src, _ := attr(frame, "src")
	mail := w.get(src)
	csp := mail.Header.Get("Content-Security-Policy")
	if !strings.Contains(mail.body, "<p>hola</p>") || !strings.Contains(csp, "sandbox") || !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "script-src") {
		t.Errorf("policy %q, body %q", csp, mail.body)
	}
	if a := w.get("/demo/mail/0000"); a.StatusCode != 404 {
		t.Errorf("a mail that is not there: %d", a.StatusCode)
	}
	plain := newTestWorld(t)
	if a := plain.get("/demo"); a.StatusCode != 404 {
		t.Errorf("outside the demo: %d", a.StatusCode)
	}
}

func TestDemoPicture(t *testing.T) {
	raw := "Content-Type: multipart/related; boundary=r\r\n\r\n--r\r\nContent-Type: text/html\r\n\r\n<img src=\"cid:chart@vigia\"><img src=\"cid:else\">\r\n" +
		"--r\r\nContent-Type: image/png; name=x\r\nContent-ID: <chart@vigia>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0K\r\n--r--\r\n"
	if got, want := readMail([]byte(raw)).whole(), `<img src="data:image/png;base64,iVBORw0K"><img src="cid:else">`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
