//! Tool bundles: rules with reasons and tests, pins with real digests, clearances that are meant.

use skills::manifest::Kinded;
use skills::tools::{Access, Bundle, Effect, Launch, Subject, words};
use tests::World;

use crate::{folder, has_a_short_readme, manifest, named};

const BUNDLES: [&str; 10] = [
    "tools-aws-readonly",
    "tools-gcloud-readonly",
    "tools-git-local",
    "tools-github-pr",
    "tools-kubectl-readonly",
    "tools-logs-readonly",
    "tools-mysql-readonly",
    "tools-postgres-readonly",
    "tools-secrets-guard",
    "tools-terraform-plan",
];

fn bundle(name: &str) -> Bundle {
    let Kinded::Tools(bundle) = manifest(name).kinded else { panic!("{name} is not of kind `tools`") };
    *bundle
}

/// What a bundle says about a command line.
fn verdict(bundle: &Bundle, line: &str) -> Option<Effect> {
    let argv = words::split(line).unwrap_or_else(|fault| panic!("`{line}` {fault}"));
    bundle.judge_command(&argv).map(|(effect, _)| effect)
}

#[test]
fn the_bundles_are_these_and_lint_finds_nothing() {
    assert_eq!(named("tools-"), BUNDLES);
    let world = World::new();
    let author = world.stranger("author");
    for name in BUNDLES {
        has_a_short_readme(name);
        author.skill(&["lint", &folder(name).to_string_lossy()]).ok().says("nothing found");
    }
}

#[test]
fn each_rule_has_a_reason_and_each_rule_of_commands_an_example() {
    for name in BUNDLES {
        for rule in bundle(name).rules {
            assert!(rule.reason.is_some(), "{name}: {rule:?}");
            let is_tried = !matches!(rule.subject, Subject::Command(_)) || !rule.matches.is_empty();
            assert!(is_tried, "{name}: {rule:?}");
        }
    }
}

#[test]
fn no_rule_of_commands_stands_twice() {
    for name in BUNDLES {
        let rules = bundle(name).rules;
        for (at, rule) in rules.iter().enumerate() {
            let earlier = rules[..at].iter().find(|earlier| earlier.subject == rule.subject);
            assert_eq!(earlier, None, "{name}");
        }
    }
}

#[test]
fn what_is_denied_stands_before_what_is_asked_in_every_family_of_commands() {
    // Where an agent takes the first rule that fits, the stricter one has to be met first.
    for name in BUNDLES {
        let rules = bundle(name).rules;
        for (at, ask) in rules.iter().enumerate().filter(|(_, rule)| rule.effect == Effect::Ask) {
            let Subject::Command(prefix) = &ask.subject else { continue };
            let late = rules[at..].iter().find(|rule| {
                let is_below = matches!(&rule.subject, Subject::Command(words) if words.starts_with(prefix));
                rule.effect == Effect::Deny && is_below
            });
            assert_eq!(late, None, "{name}: after {prefix:?}");
        }
    }
}

#[test]
fn servers_expose_reading_tools_only_and_are_pinned_by_a_digest_of_the_registry() {
    let mut servers = 0;
    for name in BUNDLES {
        for server in bundle(name).servers {
            servers += 1;
            assert!(server.tools.iter().all(|tool| tool.access == Access::Read), "{name}: {server:?}");
            assert!(matches!(server.launch, Launch::Stdio { .. }), "{name}: a remote server cannot be pinned");
        }
    }
    assert_eq!(servers, 3, "PostgreSQL, MySQL, Kubernetes");
}

#[test]
fn the_guard_only_denies_and_stacks_on_every_environment_and_class() {
    let guard = bundle("tools-secrets-guard");
    assert!(guard.rules.iter().all(|rule| rule.effect == Effect::Deny));
    assert!(guard.servers.is_empty() && guard.grants.is_empty());
    let every = guard.boundary.environment.clone();
    for name in BUNDLES {
        let boundary = bundle(name).boundary;
        let unknown: Vec<_> = boundary.environment.iter().filter(|one| !every.contains(one)).collect();
        assert_eq!(unknown, Vec::<&String>::new(), "{name}");
        assert!(boundary.data_class <= guard.boundary.data_class, "{name}");
        assert!(boundary.approval >= guard.boundary.approval, "{name}");
    }
}

#[test]
fn only_bundles_without_data_or_with_their_own_reader_are_cleared_for_production() {
    let cleared = |name: &&str| bundle(name).boundary.environment.iter().any(|one| one == "production");
    let cleared: Vec<&str> = BUNDLES.into_iter().filter(cleared).collect();
    let meant = [
        "tools-git-local",
        "tools-kubectl-readonly",
        "tools-logs-readonly",
        "tools-secrets-guard",
        "tools-terraform-plan",
    ];
    assert_eq!(cleared, meant);
}

#[test]
fn what_people_type_is_denied_or_at_least_asked_about() {
    use Effect::{Ask, Deny};
    for (name, line, expected) in [
        ("tools-postgres-readonly", "dropdb orders", Some(Deny)),
        ("tools-postgres-readonly", "psql -c 'drop table orders'", Some(Ask)),
        ("tools-mysql-readonly", "mariadb -e 'drop table orders'", Some(Ask)),
        ("tools-mysql-readonly", "mysqladmin drop orders", Some(Deny)),
        ("tools-kubectl-readonly", "kubectl delete pod web-0", Some(Deny)),
        ("tools-kubectl-readonly", "kubectl -n web delete pod web-0", Some(Ask)),
        ("tools-kubectl-readonly", "kubectl rollout undo deploy/web", Some(Deny)),
        ("tools-kubectl-readonly", "kubectl rollout status deploy/web", Some(Ask)),
        ("tools-terraform-plan", "terraform apply -auto-approve", Some(Deny)),
        ("tools-terraform-plan", "terraform -chdir=infra apply", Some(Ask)),
        ("tools-terraform-plan", "terraform plan -out=tfplan", Some(Ask)),
        ("tools-aws-readonly", "aws --profile prod s3 ls", Some(Deny)),
        ("tools-aws-readonly", "aws --profile=production s3 ls", Some(Deny)),
        ("tools-aws-readonly", "aws --region eu-west-1 iam delete-role --role-name web", Some(Ask)),
        ("tools-aws-readonly", "aws iam delete-role --role-name web", Some(Deny)),
        ("tools-gcloud-readonly", "gcloud compute instances delete web", Some(Deny)),
        ("tools-gcloud-readonly", "gcloud beta compute instances delete web", Some(Ask)),
        ("tools-git-local", "git push origin work", Some(Deny)),
        ("tools-git-local", "git -C ../other push", Some(Ask)),
        ("tools-git-local", "git commit -m x", None),
        ("tools-github-pr", "gh pr merge 12", Some(Deny)),
        ("tools-github-pr", "git push --force origin work", Some(Deny)),
        ("tools-github-pr", "git push -u origin work", Some(Ask)),
        ("tools-github-pr", "gh issue view 3", None),
        ("tools-logs-readonly", "aws logs delete-log-group --log-group-name web", Some(Deny)),
        ("tools-logs-readonly", "logcli query x", Some(Ask)),
        ("tools-secrets-guard", "env", Some(Deny)),
        ("tools-secrets-guard", "gh auth token", Some(Deny)),
        ("tools-secrets-guard", "make test", None),
    ] {
        assert_eq!(verdict(&bundle(name), line), expected, "{name}: {line}");
    }
}
