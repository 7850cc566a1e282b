using System.Collections.Immutable;
using System.Globalization;
using Granary.Abstractions.Cluster;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Orleans.Runtime;

namespace Granary.Gateway.Http.Live;

/// <summary>
/// The cluster as the stream tells it: made from maps, happenings and answers of silos, told in any order between silos. Every change is given to
/// <paramref name="tell"/>. Pure, and one thread at a time. A partition is open with the highest epoch that was heard of; it is away from the
/// first sign that its silo is gone, and from its closing where it is handed over, until a higher epoch is open.
/// </summary>
internal sealed class LiveState(LiveOptions options, Func<Guid, string?> nameOf, Action<string, object> tell)
{
    private static readonly TimeSpan s_formerSilosAreKeptFor = TimeSpan.FromMinutes(1);

    private readonly Dictionary<SiloAddress, LiveSilo> _silos = [];
    private readonly Dictionary<SiloAddress, ImmutableArray<HostedPartition>> _hosted = [];
    private readonly Dictionary<PartitionId, Place> _places = [];
    private readonly Dictionary<string, LiveGroup> _groups = [];
    private readonly Dictionary<SiloAddress, DateTimeOffset> _heardAt = [];
    private readonly Dictionary<SiloAddress, DateTimeOffset> _goneSince = [];
    private readonly LiveTimeline _timeline = new(options.TimelineLength);
    private HashSet<SiloAddress> _members = [];

    public LiveSnapshot Snapshot(DateTimeOffset now, IReadOnlyDictionary<string, LiveTopicRate> rates) => new(
        now,
        [.. _silos.OrderBy(silo => silo.Value.NodeId).Select(silo => silo.Value with { Partitions = OffsetsOf(silo.Key) })],
        [.. _places.Select(place => Show(place.Key, place.Value, null)).OrderBy(one => one.Topic, StringComparer.Ordinal).ThenBy(one => one.Partition)],
        rates,
        [.. _groups.Values.OrderBy(group => group.GroupId, StringComparer.Ordinal)],
        _timeline.Entries);

    public void SetMembers(ClusterMap map)
    {
        _members = [.. map.Members.Select(member => member.Silo)];
        foreach (var member in map.Members)
        {
            // A former run of the same name is history.
            foreach (var former in _silos.Where(silo => silo.Value.Name == member.Name && !silo.Key.Equals(member.Silo)).Select(silo => silo.Key).ToArray())
                Remove(former);
            var known = _silos.GetValueOrDefault(member.Silo);
            var state = member.IsDraining ? "draining" : known?.State is null or "draining" ? "active" : known.State;
            Set(member.Silo, new LiveSilo(member.NodeId, member.Name, member.Silo.Endpoint.ToString(), state));
        }
    }

    /// <summary>
    /// What nobody tells of any more goes: silos that have been no members for a minute and have no partitions left, the oldest of them where there are too many,
    /// and partitions whose topic is not in the catalog any more. Readers forget a silo that is dead or left by the same rule.
    /// </summary>
    public void Forget(DateTimeOffset now)
    {
        foreach (var (partition, place) in _places.Where(place => place.Value.Name is not null && nameOf(place.Key.TopicId) is null).ToArray())
            Delete(partition, place);
        var former = _silos.Keys.Where(silo => !_members.Contains(silo)).ToHashSet();
        if (former.Count == 0)
            return;
        foreach (var silo in former)
            _goneSince.TryAdd(silo, now);
        var needed = _places.Values.Select(place => place.Silo).ToHashSet();
        var longestGone = former.OrderBy(silo => _goneSince[silo]).Take(former.Count - options.MaxFormerSilos).ToHashSet();
        foreach (var silo in former.Where(silo => longestGone.Contains(silo) || (!needed.Contains(silo) && now - _goneSince[silo] >= s_formerSilosAreKeptFor)))
        {
            if (_silos[silo].State is not ("dead" or "left"))
                Set(silo, _silos[silo] with { State = "left" });
            Remove(silo);
        }
    }

    /// <summary>A silo that answers is not gone, whoever believes so.</summary>
    /// <param name="at">When it answered, by this process's clock.</param>
    public void Answered(SiloMember member, DateTimeOffset at)
    {
        _heardAt[member.Silo] = at;
        if (_silos.TryGetValue(member.Silo, out var silo) && silo.State is "silent" or "suspected")
            Set(member.Silo, silo with { State = member.IsDraining ? "draining" : "active" });
    }

    /// <summary>A silo does not answer this process. Whether its partitions are away is for the others to say: it may be this process that is cut off.</summary>
    public void Silent(SiloMember member, DateTimeOffset now)
    {
        if (!_silos.TryGetValue(member.Silo, out var silo) || silo.State is not ("active" or "draining"))
            return;
        Set(member.Silo, silo with { State = "silent" });
        Tell(new LiveEntry { Entry = 0, At = now, Kind = "silo-silent", Silo = silo.Name, NodeId = silo.NodeId, Text = $"The connection to {silo.Name} is lost: it does not answer." });
    }

    /// <summary>What a silo says that it has open: puts right what happenings did not tell.</summary>
    public void SetHosted(SiloMember member, ImmutableArray<HostedPartition> hosted, DateTimeOffset now)
    {
        _hosted[member.Silo] = hosted;
        foreach (var one in hosted.Where(one => one.LeaderEpoch >= 0))
        {
            // What was deleted since it was asked; or a topic of which this process has not heard yet: it is in the next list again.
            if (nameOf(one.Partition.TopicId) is null)
                continue;
            if (!_places.TryGetValue(one.Partition, out var place) || place.LeaderEpoch < one.LeaderEpoch)
                Open(member, one.Partition, one.LeaderEpoch, now, isExact: false);
            else if (place.State == "away" && place.LeaderEpoch == one.LeaderEpoch && place.Silo.Equals(member.Silo))
                Reopen(one.Partition, place);
        }
    }

    /// <param name="teller">Who tells it.</param>
    /// <param name="happening">Its time is by this process's clock.</param>
    /// <param name="isHistory">It happened before anybody watched: it is in the timeline, and changes nothing else.</param>
    public void Take(SiloMember teller, ClusterHappening happening, bool isHistory)
    {
        double? gap = null;
        if (!isHistory)
        {
            switch (happening.Kind)
            {
                case HappeningKind.PartitionOpened:
                    gap = Open(teller, happening.Partition, happening.LeaderEpoch, happening.At, isExact: true);
                    break;
                case HappeningKind.PartitionClosed:
                    Close(teller, happening);
                    break;
                case HappeningKind.SiloSuspected or HappeningKind.SiloDead or HappeningKind.SiloLeft:
                    Lose(happening);
                    break;
            }
        }

        if (happening.Kind is HappeningKind.GroupChanged or HappeningKind.GroupOpened)
            SetGroup(teller, happening, isHistory);
        if (LiveSentences.Of(teller, happening, NameOf, gap) is not { } sentence)
            return;
        var heardAt = isHistory ? null : LastHeardAt(happening);
        Tell(sentence.Entry with { LastHeardAt = heardAt }, sentence.OnceFor, sentence.More, isHistory);
    }

    /// <summary>A silo that is killed is heard of no more from that moment on. Clocks differ a little: never after the sign itself.</summary>
    private DateTimeOffset? LastHeardAt(ClusterHappening happening) =>
        happening is { Kind: HappeningKind.SiloSuspected or HappeningKind.SiloDead, Silo: { } silo } && _heardAt.TryGetValue(silo, out var at)
            ? at < happening.At ? at : happening.At
            : null;

    private void Set(SiloAddress address, LiveSilo silo)
    {
        if (_silos.TryGetValue(address, out var known) && known == silo)
            return;
        _silos[address] = silo;
        tell("silo", silo);
    }

    private void Remove(SiloAddress silo)
    {
        _silos.Remove(silo);
        _hosted.Remove(silo);
        _heardAt.Remove(silo);
        _goneSince.Remove(silo);
    }

    private double? Open(SiloMember member, PartitionId partition, int leaderEpoch, DateTimeOffset at, bool isExact)
    {
        var known = _places.TryGetValue(partition, out var former);
        // A list may show that it is open before the silo tells since when, and with that how long it was away.
        var isTold = known && former.LeaderEpoch == leaderEpoch && former is { State: "open", AwaySince: not null } && isExact;
        if (known && former.LeaderEpoch >= leaderEpoch && !isTold)
            return null;
        if (!known && _places.Count >= options.MaxPartitions)
            return null;
        double? gap = isExact && known && former.AwaySince is { } since ? Math.Max(0, Math.Round((at - since).TotalMilliseconds, 1)) : null;
        _places[partition] = new Place(former.Name ?? nameOf(partition.TopicId), member.NodeId, member.Silo, leaderEpoch, "open", isExact || !known ? null : former.AwaySince);
        tell("partition", Show(partition, _places[partition], gap));
        return gap;
    }

    /// <summary>Its silo was suspected for nothing.</summary>
    private void Reopen(PartitionId partition, Place place)
    {
        _places[partition] = place with { State = "open", AwaySince = null };
        tell("partition", Show(partition, _places[partition], null));
    }

    private void Close(SiloMember teller, ClusterHappening happening)
    {
        if (!_places.TryGetValue(happening.Partition, out var place))
            return;
        if (happening.Cause == HappeningCause.Deleted)
        {
            // Whoever says so is right: a topic's id does not come again.
            Delete(happening.Partition, place);
            return;
        }

        if ((place.LeaderEpoch > happening.LeaderEpoch && happening.LeaderEpoch >= 0) || !place.Silo.Equals(teller.Silo))
            return;
        var state = happening.Cause == HappeningCause.Moved ? "moving" : "away";
        var closed = place with { State = state, AwaySince = place.State == "open" ? happening.At : place.AwaySince ?? happening.At };
        _places[happening.Partition] = closed;
        tell("partition", Show(happening.Partition, closed, null));
    }

    private void Delete(PartitionId partition, Place place)
    {
        tell("partition", Show(partition, place with { State = "deleted" }, null));
        _places.Remove(partition);
    }

    private void Lose(ClusterHappening happening)
    {
        if (happening.Silo is not { } address || !_silos.TryGetValue(address, out var silo))
            return;
        var state = happening.Kind switch { HappeningKind.SiloSuspected => "suspected", HappeningKind.SiloDead => "dead", _ => "left" };
        if (silo.State is "dead" or "left")
            return;
        Set(address, silo with { State = state });
        LoseAll(address, happening.At);
        if (state != "suspected")
            _hosted.Remove(address);
    }

    private void LoseAll(SiloAddress address, DateTimeOffset at)
    {
        foreach (var (partition, place) in _places.Where(place => place.Value.Silo.Equals(address) && place.Value.State == "open").ToArray())
        {
            _places[partition] = place with { State = "away", AwaySince = at };
            tell("partition", Show(partition, _places[partition], null));
        }

        // Signs come in any order; the earliest counts.
        foreach (var (partition, place) in _places.Where(place => place.Value.Silo.Equals(address) && place.Value.AwaySince > at).ToArray())
            _places[partition] = place with { AwaySince = at };
    }

    private void SetGroup(SiloMember teller, ClusterHappening happening, bool isHistory)
    {
        var name = happening.Group!;
        if (_groups.TryGetValue(name, out var known) && known.Generation > happening.Generation && known.State != nameof(GroupState.Empty))
            return;
        if (known is null && _groups.Count >= options.MaxGroups)
            return;
        var group = new LiveGroup(name, happening.GroupState.ToString(), happening.Generation, happening.Members, teller.NodeId, happening.Cause is { Length: > 0 } cause ? cause : null);
        _groups[name] = group;
        if (!isHistory)
            tell("group", group);
    }

    private void Tell(LiveEntry entry, string? onceFor = null, Func<int, string, string>? more = null, bool isHistory = false)
    {
        if (_timeline.Add(entry, onceFor, more) is { } added && !isHistory)
            tell("timeline", added);
    }

    private LivePartition Show(PartitionId partition, Place place, double? gap) =>
        new(place.Name ?? NameOf(partition.TopicId), partition.Index, place.State == "open" ? place.NodeId : null, place.LeaderEpoch, place.State, gap);

    private IReadOnlyList<LiveOffsets> OffsetsOf(SiloAddress silo) => !_hosted.TryGetValue(silo, out var hosted) ? [] : [.. hosted
        .Where(one => !_places.TryGetValue(one.Partition, out var place) || place.Silo.Equals(silo))
        .Take(options.MaxPartitions)
        .Select(one => new LiveOffsets(NameOf(one.Partition.TopicId), one.Partition.Index, one.LeaderEpoch, one.LogStartOffset, one.HighWatermark))
        .OrderBy(one => one.Topic, StringComparer.Ordinal).ThenBy(one => one.Partition)];

    private string NameOf(Guid topicId) => nameOf(topicId) ?? topicId.ToString("D", CultureInfo.InvariantCulture);

    /// <param name="Name">Its topic's, of which the catalog knows nothing any more when it is deleted; null: it was not known yet.</param>
    /// <param name="AwaySince">Since when it is open nowhere; of one that is open: since when it was not, as long as its silo has not told that it opened it.</param>
    private readonly record struct Place(string? Name, int NodeId, SiloAddress Silo, int LeaderEpoch, string State, DateTimeOffset? AwaySince);
}
