package store_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"vigia/store"
	"vigia/store/storetest"
)

// garbledFile is one of the ways in which a file goes bad on a disk or on its way: an octet, a page of zeros, a piece that is missing, there
// twice or in another's place, an end that is missing or too long.
func garbledFile(random *rand.Rand, whole []byte) (what string, damaged []byte) {
	a, b := random.IntN(len(whole)), random.IntN(len(whole))
	a, b = min(a, b), max(a, b)+1
	damaged = bytes.Clone(whole)
	switch random.IntN(7) {
	case 0:
		damaged[a] ^= byte(1 + random.IntN(255))
		return "an octet", damaged
	case 1:
		clear(damaged[a:min(a+4096, len(damaged))])
		return "a page of zeros", damaged
	case 2:
		return "a piece is missing", append(damaged[:a], whole[b:]...)
	case 3:
		return "a piece is there twice", append(damaged[:b], whole[a:]...)
	case 4:
		copy(damaged[a:], whole[b-1:])
		return "a piece of another place", damaged
	case 5:
		return "the end is missing", damaged[:a]
	}
	return "more than the end", append(damaged, whole[:1+a]...)
}

// TestGarbledBackups: 200 damages of a backup, each of which verify and a restore by force find before the database is touched.
func TestGarbledBackups(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		world(t, openAt(t, dsn, noon.Add(12*time.Hour)))
		before := contents(t, dsn)
		file, _ := backup(t, dsn)
		whole := got[[]byte](t)(os.ReadFile(file))
		random := rand.New(rand.NewPCG(3, 4))
		for n := range 200 {
			what, damaged := garbledFile(random, whole)
			if bytes.Equal(damaged, whole) {
				continue
			}
			if err := os.WriteFile(file, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			_, verified := store.VerifyBackup(t.Context(), file)
			_, restored := store.Restore(t.Context(), store.Config{DSN: dsn}, store.RestoreRequest{File: file, Force: true})
			for by, err := range map[string]error{"verify": verified, "restore": restored} {
				if err == nil || !strings.Contains(err.Error(), file) || !isClear(err.Error()) {
					t.Errorf("damage %d, %s: %s says %v", n, what, by, err)
				}
			}
		}
		if diff := cmp.Diff(before, contents(t, dsn)); diff != "" {
			t.Errorf("a damaged backup changed rows:\n%s", diff)
		}
		if err := os.WriteFile(file, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := store.VerifyBackup(t.Context(), file); err != nil {
			t.Errorf("the whole file is refused: %v", err)
		}
	})
}

func isClear(message string) bool {
	for _, words := range []string{" is damaged: ", " is no whole backup: ", " is no backup, or only the beginning of one: "} {
		if strings.Contains(message, words) {
			return true
		}
	}
	return false
}
