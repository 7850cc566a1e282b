using Granary.Abstractions.Groups;
using Granary.Grains.Groups;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Groups;

/// <summary>
/// A group and clients of it that behave as Kafka's do, all eager or all cooperative, driven by one seed: they join, sync, beat, commit, leave, vanish and come back; the
/// coordinator crashes between any two steps, before or after it has saved. Checks at every answer what must always hold.
/// </summary>
internal sealed class ClassicWorld
{
    private const int Partitions = 7;
    private const int MaxClients = 6;

    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(600);

    private readonly Random _random;
    private readonly GroupOptions _options;
    private readonly int _crashOdds;
    private readonly bool _isCooperative;
    private readonly List<GroupCaller> _gone = [];
    private readonly List<ClassicClient> _clients = [];
    private readonly Dictionary<long, (ClassicClient Client, TimeSpan Since, Action Check)> _waiting = [];
    private readonly Dictionary<(int Generation, int Partition), string> _owners = [];
    private readonly Dictionary<int, HashSet<string>> _rosters = [];
    private readonly Dictionary<int, HashSet<string>> _told = [];
    private ClassicGroup _group;
    private ClassicGroupState _saved = new();
    private TimeSpan _now;
    private int _highest;
    private long _tickets;
    private int _ids;
    private bool _settling;

    public ClassicWorld(int seed)
    {
        _random = new Random(seed);
        _crashOdds = _random.Next(2) == 0 ? 60 : 1_000;
        _isCooperative = _random.Next(2) == 0;
        _options = new GroupOptions
        {
            InitialRebalanceDelay = _random.Next(2) == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(3),
            NewMemberJoinTimeout = TimeSpan.FromSeconds(60),
        };
        _group = new ClassicGroup(_options);
    }

    public int Generations => _highest;

    public int StableRounds { get; private set; }

    public int Crashes { get; private set; }

    /// <summary>Crashes at which members had a generation to keep.</summary>
    public int StableCrashes { get; private set; }

    public int Rebalances { get; private set; }

    public int Commits { get; private set; }

    public int CommitsRefused { get; private set; }

    /// <summary>Joins of those who share no assignor with the members.</summary>
    public int Strangers { get; private set; }

    public void Run(int steps)
    {
        for (var step = 0; step < steps; step++)
            Step();
        Settle();
    }

    /// <summary>Nobody comes or goes any more: the living share all partitions, and nobody waits.</summary>
    private void Settle()
    {
        _settling = true;
        Beat(rounds: 200);
        Assert.Empty(_waiting);
        AssertShared();

        // A coordinator's move makes no rebalance, and members can commit all the while.
        var (generation, rebalances) = (_group.Generation, Rebalances);
        for (var move = 0; move < 3; move++)
        {
            Crash();
            Assert.All(_clients.Where(client => client.IsAlive), client => Assert.Equal(ErrorCode.None, _group.CheckCommit(client.Caller, _now)));
            Beat(rounds: 12);
        }

        Assert.Equal((generation, rebalances), (_group.Generation, Rebalances));
        AssertShared();
    }

    private void Beat(int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            foreach (var client in _clients.ToArray())
                Act(client);
            Advance(TimeSpan.FromSeconds(1));
        }
    }

    private void AssertShared()
    {
        var alive = _clients.Where(client => client.IsAlive).ToList();
        Assert.Equal(alive.Count == 0 ? GroupState.Empty : GroupState.Stable, _group.Generation == 0 ? GroupState.Empty : _group.State);
        var owned = alive.SelectMany(client => client.Assigned).Select(partition => (int)partition).Order().ToArray();
        if (alive.Count > 0)
            Assert.Equal([.. Enumerable.Range(0, Partitions)], owned);
    }

    private void Step()
    {
        switch (_random.Next(100))
        {
            case < 6 when _clients.Count(client => client.IsAlive) < MaxClients:
                var life = ++_ids;
                _clients.RemoveAll(client => !client.IsAlive);
                _clients.Add(NewClient($"c{life}"));
                // Restarted, mostly; or started twice by mistake, and then the one that came first is fenced.
                foreach (var twin in _random.Next(3) == 0 ? [] : _clients.SkipLast(1).Where(client => client.InstanceId is not null && client.InstanceId == _clients[^1].InstanceId))
                    twin.IsAlive = false;
                break;
            case < 9 when Pick() is { } gone:
                gone.IsAlive = false;
                break;
            case < 12 when Pick() is { IsStatic: false } leaver:
                Call(() => _group.Leave(new LeavingMember(leaver.MemberId, null), _now));
                leaver.IsAlive = false;
                _gone.Add(leaver.Caller);
                break;
            case < 15 when Pick() is { } changing:
                changing.Subscription++;
                changing.Phase = ClientPhase.Outside;
                break;
            case < 18:
                Crash();
                break;
            case < 45:
                Advance(TimeSpan.FromMilliseconds(_random.Next(1, 3_000)));
                break;
            case < 47 when _group.NextDeadline < TimeSpan.MaxValue:
                Advance(_group.NextDeadline - _now);
                break;
            default:
                if (Pick() is { } acting)
                    Act(acting);
                break;
        }
    }

    private ClassicClient NewClient(string name) => new(name, _random.Next(3) == 0 ? $"i{_random.Next(3)}" : null, _random.Next(2) == 0)
    {
        IsCooperative = _isCooperative,
        SessionTimeout = TimeSpan.FromSeconds(_random.Next(6, 16)),
        RebalanceTimeout = TimeSpan.FromSeconds(_random.Next(15, 31)),
        Assignors = _random.Next(12) == 0 ? ["odd"] : _isCooperative ? ["cooperative-sticky"] : _random.Next(4) switch
        {
            0 => ["roundrobin", "range"],
            1 => ["sticky", "range", "roundrobin"],
            2 => ["range"],
            _ => ["range", "roundrobin"],
        },
    };

    private ClassicClient? Pick() => _clients.Where(client => client.IsAlive).OrderBy(_ => _random.Next()).FirstOrDefault();

    private void Act(ClassicClient client)
    {
        if (!client.IsAlive)
            return;
        switch (client.Phase)
        {
            case ClientPhase.Outside:
                Join(client);
                break;
            case ClientPhase.Joined:
                Sync(client);
                break;
            case ClientPhase.Steady when _random.Next(3) == 0:
                Commit(client);
                break;
            case ClientPhase.Steady:
                var (answer, crashes) = (ErrorCode.None, Crashes);
                Call(() => answer = _group.Heartbeat(client.Caller, _now));

                // A coordinator that crashed has answered nobody.
                if (crashes == Crashes)
                    client.Heard(answer);
                if (answer is ErrorCode.None or ErrorCode.RebalanceInProgress)
                    client.HeardAt = _now;
                break;
        }
    }

    /// <summary>Who commits is of the newest generation that anybody was told of; a generation that is over, and members that have left, are refused.</summary>
    private void Commit(ClassicClient client)
    {
        var error = _group.CheckCommit(client.Caller, _now);
        if (error == ErrorCode.None)
        {
            Commits++;
            client.HeardAt = _now;
            Assert.True(client.Generation == _highest, $"{client.MemberId} committed by generation {client.Generation}, and {_highest} was told");
            Assert.All(client.Assigned, partition => Assert.Equal(client.InstanceId ?? client.MemberId, _owners[(client.Generation, partition)]));
        }

        // A coordinator that crashes before the next generation has not heard of a leave: the member then stands until its session is over.
        var formers = _gone.Where(caller => caller.Generation < _highest || !_group.Members.Has(caller.MemberId)).Append(client.Caller with { Generation = client.FormerGeneration });
        foreach (var former in formers.Where(caller => caller.Generation >= 0))
        {
            CommitsRefused++;
            Assert.NotEqual(ErrorCode.None, _group.CheckCommit(former, _now));
        }

        if (error == ErrorCode.RebalanceInProgress)
            return;
        client.Heard(error);
    }

    private void Join(ClassicClient client)
    {
        var ticket = ++_tickets;
        var newId = $"{client.Name}-{++_ids}";
        var comesBack = client.InstanceId is { } instance && client.MemberId.Length == 0 && _group.State == GroupState.Stable && client.Subscription == 0
            ? _group.Members.IdOfInstance(instance) : null;
        var (before, sticks) = (_group.Generation, comesBack is not null && _group.Members.TryGet(comesBack, out var old) && old.Offers(client.Protocols));
        Wait(ticket, client, () => Assert.True(!sticks || _group.Generation == before || _group.State != GroupState.Stable, "a static member's return made a rebalance"));
        client.Phase = ClientPhase.Joining;
        var request = new JoinRequest(
            client.MemberId, client.InstanceId, client.Name, "/127.0.0.1", client.SessionTimeout, client.RebalanceTimeout, "consumer", client.Protocols, client.AsksForId, client.AsksForId);
        Call(() => _group.Join(ticket, request, newId, _now));
    }

    private void Sync(ClassicClient client)
    {
        var ticket = ++_tickets;
        Wait(ticket, client, static () => { });
        client.Phase = ClientPhase.Syncing;
        var shares = client.SkipsAssignment ? [] : client.IsCooperative ? ClassicShares.Cooperative(client.Leads, Partitions) : ClassicShares.Eager(client.Leads, Partitions);
        Call(() => _group.Sync(ticket, new SyncRequest(client.Caller, "consumer", client.ProtocolName, [.. shares]), _now));
    }

    private void Wait(long ticket, ClassicClient client, Action check) => _waiting[ticket] = (client, _now, check);

    private void Advance(TimeSpan by)
    {
        _now += by;
        Call(() => _group.Tick(_now));
        Assert.DoesNotContain(_waiting.Values, waiting => _now - waiting.Since > s_longestWait);
    }

    /// <summary>One turn of the coordinator, saved before its answers leave; now and then it dies before or after that.</summary>
    private void Call(Action turn)
    {
        var before = _group.State;
        turn();
        if (before == GroupState.Stable && _group.State != GroupState.Stable)
            CheckCause();
        AssertNoneIsOwnedTwice();
        var answers = _group.TakeAnswers();
        var dies = _settling ? int.MaxValue : _random.Next(_crashOdds);
        if (dies == 0)
        {
            Crash();
            return;
        }

        if (_group.TakeChanged())
            _saved = _group.ToState();
        if (dies == 1)
        {
            Crash();
            return;
        }

        foreach (var answer in answers)
            Deliver(answer);
    }

    private void Crash()
    {
        Crashes++;
        foreach (var (client, _, _) in _waiting.Values)
            client.Phase = ClientPhase.Outside;

        _waiting.Clear();
        _group = ClassicGroup.Restore(_options, _saved, _now);
        foreach (var client in _clients)
            client.HeardAt = _now;
        if (_saved.State != GroupState.Stable)
            return;

        // What members were told last goes on: a coordinator's move makes no rebalance.
        StableCrashes++;
        Assert.Equal((GroupState.Stable, _saved.Generation), (_group.State, _group.Generation));
        Assert.Equal(_saved.Members.Select(member => (member.MemberId, member.Assignment)), _group.Members.All.Select(member => (member.MemberId, member.Assignment)));
        foreach (var client in _clients.Where(client => client is { IsAlive: true, Phase: ClientPhase.Steady } && client.Generation == _saved.Generation && _group.Members.Has(client.MemberId)))
            Assert.Equal(client.InstanceId is { } instance && _group.Members.IdOfInstance(instance) != client.MemberId ? ErrorCode.FencedInstanceId : ErrorCode.None, _group.Heartbeat(client.Caller, _now));
    }

    /// <summary>A stable group is called together only for a reason that somebody gave.</summary>
    private void CheckCause()
    {
        Rebalances++;
        const string Silence = "nothing was heard of ";
        if (!_group.Cause.StartsWith(Silence, StringComparison.Ordinal))
        {
            Assert.Matches(" (joined|left|asked for it|wants something else than before|came back with another subscription, or owed the others a rebalance)$", _group.Cause);
            Assert.True(!_settling || _group.Cause.EndsWith("joined", StringComparison.Ordinal) || _isCooperative || _clients.Any(client => client.Phase == ClientPhase.Joining), _group.Cause);
            return;
        }

        var gone = _group.Cause[Silence.Length..].Split(' ')[0];
        if (_clients.FirstOrDefault(client => client.IsAlive && client.MemberId == gone) is { } silent)
            Assert.True(_now - silent.HeardAt >= silent.SessionTimeout, $"{gone} was silent for {_now - silent.HeardAt}, and its session is {silent.SessionTimeout}");
    }

    /// <summary>Members of the same generation share nothing, through both rebalances of a cooperative one too.</summary>
    private void AssertNoneIsOwnedTwice()
    {
        var owned = _clients.Where(client => client.IsAlive && client.Assigned.Length > 0 && ClassicCallCheck.Caller(_group, client.Caller) == ErrorCode.None)
            .SelectMany(client => client.Assigned).ToArray();
        Assert.Equal(owned.Length, owned.Distinct().Count());
    }

    private void Deliver(ClassicAnswer answer)
    {
        Assert.True(_waiting.Remove(answer.Ticket, out var waiting), "answered twice");
        if (answer.Join is { Error: ErrorCode.None } joined)
        {
            Assert.True(joined.Generation >= _highest, $"generation {joined.Generation} after {_highest}");
            _highest = joined.Generation;
            Assert.Contains(joined.ProtocolName, waiting.Client.Assignors);
            CheckRoster(joined, waiting.Client.InstanceId ?? joined.MemberId);
            waiting.Check();
        }

        if (answer.Join is { Error: ErrorCode.InconsistentGroupProtocol })
        {
            Strangers++;
            Assert.DoesNotContain(waiting.Client.Assignors, assignor => _group.Members.All.All(member => member.Protocols.Any(protocol => protocol.Name == assignor)));
        }

        if (!waiting.Client.IsAlive)
            return;
        waiting.Client.HeardAt = _now;
        if (answer.Join is { } join)
            waiting.Client.Heard(join);
        if (answer.Sync is not { } sync)
            return;
        waiting.Client.Heard(sync);
        if (sync.Error != ErrorCode.None)
            return;
        StableRounds++;
        foreach (var partition in waiting.Client.Assigned)
        {
            var owner = waiting.Client.InstanceId ?? waiting.Client.MemberId;
            var key = (waiting.Client.Generation, partition);
            Assert.True(!_owners.TryGetValue(key, out var other) || other == owner, $"{partition} of generation {key.Generation} went to {other} and {owner}");
            _owners[key] = owner;
        }
    }

    /// <summary>A generation is the same members whenever it is told, and told to nobody else: a coordinator that crashed does not use its number for others.</summary>
    private void CheckRoster(JoinResult joined, string name)
    {
        // A static member comes back with another member id into the same generation.
        if (!joined.Members.IsEmpty)
        {
            var roster = joined.Members.Select(member => member.InstanceId ?? member.MemberId).ToHashSet();
            Assert.True(
                _rosters.TryAdd(joined.Generation, roster) || _rosters[joined.Generation].SetEquals(roster),
                $"generation {joined.Generation} was told with {string.Join(", ", _rosters[joined.Generation])}, and with {string.Join(", ", roster)}");
        }

        if (!_told.TryGetValue(joined.Generation, out var told))
            _told.Add(joined.Generation, told = []);
        told.Add(name);
        Assert.True(
            !_rosters.TryGetValue(joined.Generation, out var members) || told.IsSubsetOf(members),
            $"generation {joined.Generation} was told to {string.Join(", ", told)}, and its members are {string.Join(", ", members ?? [])}");
    }
}
