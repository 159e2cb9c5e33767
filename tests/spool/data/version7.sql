-- A queue of schema 7 as the program of that time wrote it, and as `.dump` showed it:
-- 1: a delivered, a waiting (tried twice, warned, perhaps a duplicate, doubtful, sealed) and a held
--    copy with another author; with fields of ours of every kind and a token
-- 2: a failed copy, one that waits for consent, one that was never tried
-- 3: big content, of which 262,144 times "z" lie in the first place of the file beside the database
-- 4: no content, and no field of ours
-- 5: a copy that was held and released
-- and a draft of one place, and a visitor who waits.
PRAGMA page_size = 8192;
BEGIN TRANSACTION;
PRAGMA user_version = 7;
CREATE TABLE message (
  id BLOB PRIMARY KEY, received_ms INTEGER NOT NULL, reverse_path TEXT NOT NULL,
  flags INTEGER NOT NULL, client TEXT NOT NULL, client_port INTEGER NOT NULL, helo TEXT NOT NULL,
  tls_version TEXT NOT NULL, tls_cipher TEXT NOT NULL, trace_fields BLOB NOT NULL,
  size INTEGER NOT NULL, sha256 BLOB NOT NULL, seal_fields BLOB NOT NULL DEFAULT x'', rewritten_head BLOB NOT NULL DEFAULT x'', header_octets INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
INSERT INTO message VALUES(X'01a20c23c30001010101010100000000',1795500000000,'"Ann B"@sender.example',15,'192.0.2.1',4711,'client.example','TLSv1.3','TLS_AES_256_GCM_SHA384',X'52656365697665643a2066726f6d20636c69656e742e6578616d706c650d0a',35,X'f03b91ea7f72da71468c14c3a6d6cdfbdb42597aff98376e6265415b5ce5b30c',X'4152432d5365616c3a20693d313b20623d780d0a',X'52656365697665643a20780d0a46726f6d3a206e6577406677642e6578616d706c650d0a',14);
INSERT INTO message VALUES(X'01a20c23c30002020202020200000000',1795500000000,'"Ann B"@sender.example',15,'192.0.2.1',4711,'client.example','TLSv1.3','TLS_AES_256_GCM_SHA384',X'52656365697665643a2066726f6d20636c69656e742e6578616d706c650d0a',36,X'93bba6c8a625d59bd78d7432621a9034ab4aa3d058812629ea4509ffb43a8559',X'',X'',0);
INSERT INTO message VALUES(X'01a20c23c30003030303030300000000',1795500000000,'"Ann B"@sender.example',15,'192.0.2.1',4711,'client.example','TLSv1.3','TLS_AES_256_GCM_SHA384',X'52656365697665643a2066726f6d20636c69656e742e6578616d706c650d0a',262164,X'3868c42a8f1dc4b2c09aa6536328428fe6642698eb6fa39736645aa14911ee02',X'',X'',0);
INSERT INTO message VALUES(X'01a20c23c30004040404040400000000',1795500000000,'"Ann B"@sender.example',15,'192.0.2.1',4711,'client.example','TLSv1.3','TLS_AES_256_GCM_SHA384',X'',0,X'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',X'',X'',0);
INSERT INTO message VALUES(X'01a20c23c30005050505050500000000',1795500000000,'"Ann B"@sender.example',15,'192.0.2.1',4711,'client.example','TLSv1.3','TLS_AES_256_GCM_SHA384',X'52656365697665643a2066726f6d20636c69656e742e6578616d706c650d0a',27,X'ddd58b42d4ed6cd6b3254adf684235b477228fbd1a12447786f8a4d6e58a3490',X'',X'',0);
CREATE TABLE chunk (
  id BLOB NOT NULL, sequence INTEGER NOT NULL, digest BLOB NOT NULL, octets BLOB NOT NULL);
INSERT INTO chunk VALUES(X'01a20c23c30001010101010100000000',0,X'ab8d4ccaae6ee9b8c85419d391154655',X'5375626a6563743a206f6e650d0a0d0a626f6479206f66207468652066697273740d0a');
INSERT INTO chunk VALUES(X'01a20c23c30002020202020200000000',0,X'b65481d124398a930b12fd196a79a2f7',X'5375626a6563743a2074776f0d0a0d0a626f6479206f6620746865207365636f6e640d0a');
INSERT INTO chunk VALUES(X'01a20c23c30003030303030300000000',1,X'1dd0f6d7ed7ecb66bd5b76ef3a941b3f',X'7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a');
INSERT INTO chunk VALUES(X'01a20c23c30005050505050500000000',0,X'abc0a034dac38fe363fc6122b68195dd',X'5375626a6563743a20666976650d0a0d0a72656c65617365640d0a');
CREATE TABLE recipient (
  id BLOB NOT NULL, idx INTEGER NOT NULL, original TEXT NOT NULL, target TEXT NOT NULL,
  destination TEXT NOT NULL, reverse_path TEXT NOT NULL, state INTEGER NOT NULL,
  attempts INTEGER NOT NULL, next_due_ms INTEGER NOT NULL, flags INTEGER NOT NULL,
  at_ms INTEGER NOT NULL, host TEXT NOT NULL, address TEXT NOT NULL, port INTEGER NOT NULL,
  tls TEXT NOT NULL, stage INTEGER NOT NULL, code INTEGER NOT NULL, status TEXT NOT NULL,
  reply TEXT NOT NULL, handling INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '', released_ms INTEGER NOT NULL DEFAULT 0, awaits TEXT NOT NULL DEFAULT '', PRIMARY KEY (id, idx)) WITHOUT ROWID;
INSERT INTO recipient VALUES(X'01a20c23c30001010101010100000000',0,'info@fwd.example','a@x.example','x.example','SRS0=abcd=AB=sender.example=ann@fwd.example',2,1,1795500300000,0,1795500001000,'mx.example','192.0.2.25',25,'TLSv1.3',7,250,'2.2.0','ok',0,'',0,'');
INSERT INTO recipient VALUES(X'01a20c23c30001010101010100000000',1,'info@fwd.example','b@Y.example','y.example','SRS0=abcd=AB=sender.example=ann@fwd.example',0,2,1795501800000,3,1795500002000,'mx.example','192.0.2.25',25,'TLSv1.3',7,450,'4.2.0','later',3,'doubtful',0,'');
INSERT INTO recipient VALUES(X'01a20c23c30001010101010100000000',2,'info@fwd.example','c@z.example','z.example','SRS0=abcd=AB=sender.example=ann@fwd.example',1,0,1795500000000,0,0,'','',0,'',0,0,'','',12,'policy',0,'');
INSERT INTO recipient VALUES(X'01a20c23c30002020202020200000000',0,'info@fwd.example','d@x.example','x.example','SRS0=abcd=AB=sender.example=ann@fwd.example',3,1,1795500000000,0,1795500001000,'mx.example','192.0.2.25',25,'TLSv1.3',7,550,'5.2.0','no',0,'',0,'');
INSERT INTO recipient VALUES(X'01a20c23c30002020202020200000000',1,'info@fwd.example','e@x.example','x.example','SRS0=abcd=AB=sender.example=ann@fwd.example',1,0,1795500000000,0,0,'','',0,'',0,0,'','',8,'',0,'e@x.example');
INSERT INTO recipient VALUES(X'01a20c23c30002020202020200000000',2,'info@fwd.example','f@x.example','x.example','SRS0=abcd=AB=sender.example=ann@fwd.example',0,0,1795500000000,0,0,'','',0,'',0,0,'','',0,'',0,'');
INSERT INTO recipient VALUES(X'01a20c23c30003030303030300000000',0,'info@fwd.example','g@x.example','x.example','SRS0=abcd=AB=sender.example=ann@fwd.example',0,0,1795500000000,0,0,'','',0,'',0,0,'','',0,'',0,'');
INSERT INTO recipient VALUES(X'01a20c23c30004040404040400000000',0,'info@fwd.example','h@x.example','x.example','SRS0=abcd=AB=sender.example=ann@fwd.example',0,0,1795500000000,0,0,'','',0,'',0,0,'','',0,'',0,'');
INSERT INTO recipient VALUES(X'01a20c23c30005050505050500000000',0,'info@fwd.example','i@x.example','x.example','SRS0=abcd=AB=sender.example=ann@fwd.example',0,0,1795503600000,0,0,'','',0,'',0,0,'','',8,'',1795503600000,'');
CREATE TABLE attempt (
  id BLOB NOT NULL, idx INTEGER NOT NULL, number INTEGER NOT NULL, at_ms INTEGER NOT NULL,
  host TEXT NOT NULL, address TEXT NOT NULL, port INTEGER NOT NULL, tls TEXT NOT NULL,
  stage INTEGER NOT NULL, code INTEGER NOT NULL, status TEXT NOT NULL, reply TEXT NOT NULL,
  PRIMARY KEY (id, idx, number)) WITHOUT ROWID;
INSERT INTO attempt VALUES(X'01a20c23c30001010101010100000000',0,1,1795500001000,'mx.example','192.0.2.25',25,'TLSv1.3',7,250,'2.2.0','ok');
INSERT INTO attempt VALUES(X'01a20c23c30001010101010100000000',1,1,1795500001000,'mx.example','192.0.2.25',25,'TLSv1.3',7,450,'4.2.0','later');
INSERT INTO attempt VALUES(X'01a20c23c30001010101010100000000',1,2,1795500002000,'mx.example','192.0.2.25',25,'TLSv1.3',7,450,'4.2.0','later');
INSERT INTO attempt VALUES(X'01a20c23c30002020202020200000000',0,1,1795500001000,'mx.example','192.0.2.25',25,'TLSv1.3',7,550,'5.2.0','no');
CREATE TABLE token (
  token TEXT PRIMARY KEY, reverse_path TEXT NOT NULL, expires_ms INTEGER NOT NULL,
  client TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO token VALUES('t0','long@sender.example',1797228000000,'192.0.2.0/24');
CREATE TABLE greylist (
  key BLOB PRIMARY KEY, at_ms INTEGER NOT NULL, passes INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO greylist VALUES(X'6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b',1795500000000,0,1795672800000);
CREATE TABLE tally (
  messages INTEGER NOT NULL, octets INTEGER NOT NULL, waiting INTEGER NOT NULL,
  held INTEGER NOT NULL);
INSERT INTO tally VALUES(5,262262,5,2);
CREATE TABLE draft (id BLOB PRIMARY KEY) WITHOUT ROWID;
INSERT INTO draft VALUES(X'01a20c23c30009090909090900000000');
CREATE TABLE slot (
  id BLOB NOT NULL, sequence INTEGER NOT NULL, digest BLOB NOT NULL, number INTEGER NOT NULL,
  PRIMARY KEY (id, sequence)) WITHOUT ROWID;
INSERT INTO slot VALUES(X'01a20c23c30003030303030300000000',0,X'ef06ac9cbdad2f4937b8fe959566a423',0);
INSERT INTO slot VALUES(X'01a20c23c30009090909090900000000',0,X'fe007ab3060e354bbb13428e095cba9f',1);
CREATE UNIQUE INDEX chunk_key ON chunk (id, sequence);
CREATE INDEX recipient_due ON recipient (next_due_ms, id, idx) WHERE state = 0;
CREATE INDEX token_client ON token (client);
CREATE INDEX token_expiry ON token (expires_ms);
CREATE INDEX greylist_order ON greylist (passes > 0, expires_ms);
CREATE INDEX recipient_awaits ON recipient (awaits, id, idx) WHERE awaits <> '';
CREATE TRIGGER message_in AFTER INSERT ON message BEGIN
  UPDATE tally SET messages = messages + 1, octets = octets + new.size; END;
CREATE TRIGGER message_out AFTER DELETE ON message BEGIN
  UPDATE tally SET messages = messages - 1, octets = octets - old.size; END;
CREATE TRIGGER recipient_in AFTER INSERT ON recipient WHEN new.state < 2 BEGIN
  UPDATE tally SET waiting = waiting + (new.state = 0), held = held + (new.state = 1); END;
CREATE TRIGGER recipient_out AFTER DELETE ON recipient WHEN old.state < 2 BEGIN
  UPDATE tally SET waiting = waiting - (old.state = 0), held = held - (old.state = 1); END;
CREATE TRIGGER recipient_moved AFTER UPDATE OF state ON recipient
  WHEN old.state <> new.state BEGIN
  UPDATE tally SET waiting = waiting + (new.state = 0) - (old.state = 0),
                   held = held + (new.state = 1) - (old.state = 1); END;
COMMIT;
