-- A queue of schema 1 as the program of that time wrote it, and as `.dump` showed it: one message
-- with a delivered, a waiting (tried once) and a held copy, one with a waiting copy, one token.
PRAGMA page_size = 8192;
BEGIN TRANSACTION;
PRAGMA user_version = 1;
CREATE TABLE message (
  id BLOB PRIMARY KEY, received_ms INTEGER NOT NULL, reverse_path TEXT NOT NULL,
  flags INTEGER NOT NULL, client TEXT NOT NULL, client_port INTEGER NOT NULL, helo TEXT NOT NULL,
  tls_version TEXT NOT NULL, tls_cipher TEXT NOT NULL, trace_fields BLOB NOT NULL,
  size INTEGER NOT NULL, sha256 BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO message VALUES(X'01a20c23c30001010101010100000000',1795500000000,'"Ann B"@sender.example',7,'192.0.2.1',4711,'client.example','TLSv1.3','TLS_AES_256_GCM_SHA384',X'52656365697665643a2066726f6d20636c69656e742e6578616d706c650d0a',35,X'f03b91ea7f72da71468c14c3a6d6cdfbdb42597aff98376e6265415b5ce5b30c');
INSERT INTO message VALUES(X'01a20c23c30002020202020200000000',1795500000000,'"Ann B"@sender.example',7,'192.0.2.1',4711,'client.example','TLSv1.3','TLS_AES_256_GCM_SHA384',X'52656365697665643a2066726f6d20636c69656e742e6578616d706c650d0a',36,X'93bba6c8a625d59bd78d7432621a9034ab4aa3d058812629ea4509ffb43a8559');
CREATE TABLE chunk (
  id BLOB NOT NULL, sequence INTEGER NOT NULL, sha256 BLOB NOT NULL, octets BLOB NOT NULL);
INSERT INTO chunk VALUES(X'01a20c23c30001010101010100000000',0,X'754773a0f6077f9b5d0062ae798cda4549055fc6ae54c3236f78c9a02a6dc55b',X'5375626a6563743a206f6e650d0a0d0a626f6479206f66207468652066697273740d0a');
INSERT INTO chunk VALUES(X'01a20c23c30002020202020200000000',0,X'1610ea37c19e9b4a8be4176aefef75c649073b3bd58bdad99090a86a4b85c655',X'5375626a6563743a2074776f0d0a0d0a626f6479206f6620746865207365636f6e640d0a');
CREATE TABLE recipient (
  id BLOB NOT NULL, idx INTEGER NOT NULL, original TEXT NOT NULL, target TEXT NOT NULL,
  destination TEXT NOT NULL, reverse_path TEXT NOT NULL, state INTEGER NOT NULL,
  attempts INTEGER NOT NULL, next_due_ms INTEGER NOT NULL, flags INTEGER NOT NULL,
  at_ms INTEGER NOT NULL, host TEXT NOT NULL, address TEXT NOT NULL, port INTEGER NOT NULL,
  tls TEXT NOT NULL, stage INTEGER NOT NULL, code INTEGER NOT NULL, status TEXT NOT NULL,
  reply TEXT NOT NULL, PRIMARY KEY (id, idx)) WITHOUT ROWID;
INSERT INTO recipient VALUES(X'01a20c23c30001010101010100000000',0,'info@fwd.example','a@x.example','x.example','SRS0=abcd=AB=sender.example=ann@fwd.example',2,1,1795500300000,0,1795500000000,'mx.example','192.0.2.25',25,'TLSv1.3',7,250,'2.2.0','ok');
INSERT INTO recipient VALUES(X'01a20c23c30001010101010100000000',1,'info@fwd.example','b@Y.example','y.example','SRS0=abcd=AB=sender.example=ann@fwd.example',0,1,1795500300000,2,1795500000000,'mx.example','192.0.2.25',25,'TLSv1.3',7,450,'4.2.0','later');
INSERT INTO recipient VALUES(X'01a20c23c30001010101010100000000',2,'info@fwd.example','c@z.example','z.example','SRS0=abcd=AB=sender.example=ann@fwd.example',1,0,1795500000000,0,0,'','',0,'',0,0,'','');
INSERT INTO recipient VALUES(X'01a20c23c30002020202020200000000',0,'info@fwd.example','d@x.example','x.example','SRS0=abcd=AB=sender.example=ann@fwd.example',0,0,1795500000000,0,0,'','',0,'',0,0,'','');
CREATE TABLE attempt (
  id BLOB NOT NULL, idx INTEGER NOT NULL, number INTEGER NOT NULL, at_ms INTEGER NOT NULL,
  host TEXT NOT NULL, address TEXT NOT NULL, port INTEGER NOT NULL, tls TEXT NOT NULL,
  stage INTEGER NOT NULL, code INTEGER NOT NULL, status TEXT NOT NULL, reply TEXT NOT NULL,
  PRIMARY KEY (id, idx, number)) WITHOUT ROWID;
INSERT INTO attempt VALUES(X'01a20c23c30001010101010100000000',0,1,1795500000000,'mx.example','192.0.2.25',25,'TLSv1.3',7,250,'2.2.0','ok');
INSERT INTO attempt VALUES(X'01a20c23c30001010101010100000000',1,1,1795500000000,'mx.example','192.0.2.25',25,'TLSv1.3',7,450,'4.2.0','later');
CREATE TABLE token (
  token TEXT PRIMARY KEY, reverse_path TEXT NOT NULL, expires_ms INTEGER NOT NULL,
  client TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO token VALUES('t0','long@sender.example',1797300000000,'192.0.2.0/24');
CREATE UNIQUE INDEX chunk_key ON chunk (id, sequence);
CREATE INDEX recipient_due ON recipient (next_due_ms, id, idx) WHERE state = 0;
CREATE INDEX token_client ON token (client);
CREATE INDEX token_expiry ON token (expires_ms);
COMMIT;
