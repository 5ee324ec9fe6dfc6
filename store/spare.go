package store

import (
	"log/slog"
	"os"
)

// startRoom is how much of the disk is kept for a start: the first writes of a process, and of what its journal holds.
const startRoom = 4 << 20

// spare is a file beside a SQLite database that holds room on its disk. A process that cannot start gives it up and tries again, so that the
// watcher runs on a full disk too; what it decides then goes to the journal, whose room is taken as well.
type spare struct {
	path   string // empty: none is kept
	logger *slog.Logger
}

func newSpare(cfg Config, db *database) spare {
	if db.file == "" || cfg.Journal == "" {
		return spare{}
	}
	return spare{db.file + ".spare", cfg.Logger}
}

// keep takes the room unless it is taken. When there is none, that is no news: the next minute tries again.
func (s spare) keep() {
	if s.path == "" {
		return
	}
	if info, err := os.Stat(s.path); err == nil && info.Size() == startRoom {
		return
	}
	if err := os.WriteFile(s.path, make([]byte, startRoom), 0o600); err != nil {
		_ = os.Remove(s.path) // half of it would only be in the way
	}
}

// release gives the room up because of what failed; false when there was none.
func (s spare) release(why error) bool {
	if s.path == "" || os.Remove(s.path) != nil {
		return false
	}
	s.logger.Warn("the start failed: the room that is kept for that is given up, and it is tried again", "file", s.path, "err", why)
	return true
}
