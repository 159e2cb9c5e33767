# mail_dkim.pl KIND FOLDER RECORD: what Mail::DKIM says of every message of FOLDER, as "name result".
# KIND is dkim, for the signature of fwd.example, or arc, for the whole chain. The TXT record comes
# from a file: nothing is asked of the network.
use strict;
use warnings;
use Mail::DKIM::ARC::Verifier;
use Mail::DKIM::PublicKey;
use Mail::DKIM::Verifier;

my ($kind, $folder, $record_file) = @ARGV;
my %verifiers = (arc => 'Mail::DKIM::ARC::Verifier', dkim => 'Mail::DKIM::Verifier');
my $class = $verifiers{$kind} or die "neither dkim nor arc: $kind\n";
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

sub result_of {
    my ($verifier) = @_;
    return $verifier->result if $kind eq 'arc';
    my $result = 'none';
    for my $signature ($verifier->signatures) {
        $result = $signature->result if $signature->domain eq 'fwd.example';
    }
    return $result;
}

opendir(my $dir, $folder) or die $!;
for my $name (sort grep { !/^\./ } readdir $dir) {
    open(my $message, '<:raw', "$folder/$name") or die $!;
    my $octets = do { local $/; <$message> };
    my $verifier = $class->new;
    $verifier->PRINT($octets);
    $verifier->CLOSE;
    print "$name ", result_of($verifier), "\n";
}
