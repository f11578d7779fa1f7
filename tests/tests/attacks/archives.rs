//! Every law of archives, in both directions: a crafted upload, a crafted download.
//!
//! The list of laws is `tests::forge::hostile`; each has a test of its own here, and a test that none
//! was forgotten.

use tests::forge::hostile;

use crate::stage::Stage;

/// The registry refuses the archive that breaks this law, and so does the client when a mirror has it.
#[track_caller]
fn refused_both_ways(law: &str) {
    let hostile = hostile().into_iter().find(|hostile| hostile.law == law).expect("a law of the list");
    let stage = Stage::set();
    let release = stage.publisher.release("pdf", "1.1.0").around(hostile.archive());
    let bundle = stage.publisher.sign(&release);
    if hostile.code == "archive-too-large" {
        // The body is refused before anything in it is looked at, and the client stops reading.
        stage.registry_refuses(&bundle, &release, 413, "body-too-large");
        stage.client_refuses(stage.lies(&bundle, &release), 3);
        return;
    }
    stage.registry_refuses(&bundle, &release, 422, hostile.code);
    stage.client_refuses(stage.lies(&bundle, &release), 1).says("SKV001").says(hostile.code);
}

macro_rules! laws {
    ($($name:ident: $law:literal,)*) => {
        const TESTED: &[&str] = &[$($law,)*];
        $(#[test] fn $name() { refused_both_ways($law); })*
    };
}

laws! {
    a_symbolic_link: "a symbolic link",
    a_hard_link: "a hard link",
    a_character_device: "a character device",
    a_block_device: "a block device",
    a_named_pipe: "a named pipe",
    a_contiguous_file: "a contiguous file",
    a_global_pax_header: "a global PAX header",
    a_gnu_long_name: "a GNU long name",
    a_sparse_file: "a sparse file",
    a_type_that_nobody_knows: "a type that nobody knows",
    a_path_up_and_out: "a path up and out",
    a_path_up_and_out_further_down: "a path up and out, further down",
    an_absolute_path: "an absolute path",
    a_backslash: "a backslash",
    a_drive_letter: "a drive letter",
    a_control_character: "a control character",
    a_name_that_is_not_nfc: "a name that is not NFC",
    a_name_that_windows_reserves: "a name that Windows reserves",
    a_name_that_ends_in_a_dot: "a name that ends in a dot",
    an_empty_component: "an empty component",
    a_dot_component: "a dot component",
    a_git_hook: "a Git hook",
    the_same_path_twice: "the same path twice",
    names_equal_under_case_folding: "names equal under case folding",
    a_file_in_the_place_of_a_folder: "a file in the place of a folder",
    set_user_id: "set-user-id",
    a_size_in_base_256: "a size in base 256",
    a_size_beyond_the_end: "a size beyond the end",
    a_size_of_eight_gigabytes: "a size of eight gigabytes",
    the_magic_of_gnu_tar: "the magic of GNU tar",
    bytes_hidden_in_a_header: "bytes hidden in a header",
    too_deep: "too deep",
    too_many_files: "too many files",
    a_bomb: "a bomb",
    a_wrong_checksum: "a wrong checksum",
    bytes_in_the_padding: "bytes in the padding",
    bytes_after_the_end: "bytes after the end",
    bytes_after_the_gzip_member: "bytes after the gzip member",
    two_gzip_members: "two gzip members",
    no_end_marker: "no end marker",
    a_torn_gzip_member: "a torn gzip member",
    no_gzip_at_all: "no gzip at all",
    over_the_size_limit: "over the size limit",
}

#[test]
fn no_law_of_the_list_is_forgotten() {
    let mut laws: Vec<&str> = hostile().iter().map(|hostile| hostile.law).collect();
    let mut tested = TESTED.to_vec();
    laws.sort_unstable();
    tested.sort_unstable();
    assert_eq!(laws, tested);
}

#[test]
fn unpack_and_lint_refuse_them_with_the_same_codes_and_write_nothing() {
    let world = tests::World::new();
    let bob = world.stranger("bob");
    for hostile in hostile() {
        bob.write("evil.tar.gz", hostile.archive());
        for args in [&["unpack", "evil.tar.gz", "-o", "out", "--json"][..], &["lint", "evil.tar.gz", "--json"]] {
            let screen = bob.skill(args).exits(1);
            assert!(screen.stdout.contains(&format!("\"{}\"", hostile.code)), "{}: {screen}", hostile.law);
            assert_eq!(bob.snapshot().paths(), ["evil.tar.gz"], "{}", hostile.law);
        }
    }
}
