# mail_dkim_arc.pl FOLDER RECORD: what Mail::DKIM says of the ARC chain of every message of FOLDER,
# as "name result". The TXT record comes from a file: nothing is asked of the network.
use strict;
use warnings;
use Mail::DKIM::ARC::Verifier;
use Mail::DKIM::PublicKey;

my ($folder, $record_file) = @ARGV;
open(my $in, '<', $record_file) or die $!;
my $record = do { local $/; <$in> };

{
    no warnings 'redefine';
    *Mail::DKIM::PublicKey::fetch_async = sub {
        my ($class, %prms) = @_;
        my $key = $class->parse($record);
        $key->{Selector} = $prms{Selector};
        $key->{Domain} = $prms{Domain};
        $key->check;
        my $answer = ($prms{Callbacks} || {})->{Success} || sub { $_[0] };
        return sub { $answer->($key) };
    };
}

opendir(my $dir, $folder) or die $!;
for my $name (sort grep { !/^\./ } readdir $dir) {
    open(my $message, '<:raw', "$folder/$name") or die $!;
    my $octets = do { local $/; <$message> };
    my $verifier = Mail::DKIM::ARC::Verifier->new;
    $verifier->PRINT($octets);
    $verifier->CLOSE;
    print "$name ", $verifier->result, "\n";
}
