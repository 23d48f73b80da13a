CREATE TABLE notes (
  id INTEGER PRIMARY KEY,
  room TEXT NOT NULL,
  name TEXT NOT NULL,
  text TEXT NOT NULL CHECK (length(text) BETWEEN 1 AND 1000)
);

CREATE INDEX notes_of_room ON notes (room, id);
