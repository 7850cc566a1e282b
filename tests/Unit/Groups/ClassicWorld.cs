using Granary.Abstractions.Groups;
using Granary.Grains.Groups;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Groups;

/// <summary>
/// A group and clients of it that behave as Kafka's do, driven by one seed: they join, sync, beat, leave, vanish and come back; the coordinator
/// crashes between any two steps, before or after it has saved. Checks at every answer what must always hold.
/// </summary>
internal sealed class ClassicWorld
{
    private const int Partitions = 7;
    private const int MaxClients = 6;

    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(600);

    private readonly Random _random;
    private readonly GroupOptions _options;
    private readonly int _crashOdds;
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
        for (var round = 0; round < 200; round++)
        {
            foreach (var client in _clients.ToArray())
                Act(client);
            Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Empty(_waiting);
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
                _clients.Add(new ClassicClient($"c{life}", _random.Next(3) == 0 ? $"i{_random.Next(3)}" : null, _random.Next(2) == 0));
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
            case ClientPhase.Steady:
                var answer = ErrorCode.None;
                Call(() => answer = _random.Next(3) == 0 ? _group.CheckCommit(client.Caller, _now) : _group.Heartbeat(client.Caller, _now));
                client.Heard(answer);
                break;
        }
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
            client.MemberId, client.InstanceId, client.Name, "/127.0.0.1", TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(20), "consumer", client.Protocols, client.AsksForId, client.AsksForId);
        Call(() => _group.Join(ticket, request, newId, _now));
    }

    private void Sync(ClassicClient client)
    {
        var ticket = ++_tickets;
        Wait(ticket, client, static () => { });
        client.Phase = ClientPhase.Syncing;
        var shares = client.Leads.Select((member, index) => new MemberAssignment(
            member.MemberId,
            Enumerable.Range(0, Partitions).Where(partition => partition % client.Leads.Length == index).Select(partition => (byte)partition).ToArray()));
        Call(() => _group.Sync(ticket, new SyncRequest(client.Caller, "consumer", client.ProtocolName, client.SkipsAssignment ? [] : [.. shares]), _now));
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
        turn();
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
    }

    private void Deliver(ClassicAnswer answer)
    {
        Assert.True(_waiting.Remove(answer.Ticket, out var waiting), "answered twice");
        if (answer.Join is { Error: ErrorCode.None } joined)
        {
            Assert.True(joined.Generation >= _highest, $"generation {joined.Generation} after {_highest}");
            _highest = joined.Generation;
            CheckRoster(joined, waiting.Client.InstanceId ?? joined.MemberId);
            waiting.Check();
        }

        if (!waiting.Client.IsAlive)
            return;
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
