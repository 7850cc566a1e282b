using Granary.Abstractions.Cluster;
using Granary.Abstractions.Groups;

namespace Granary.Grains.Groups;

/// <summary>The protocol that a group speaks, one of two at a time, and how the group stands by it.</summary>
/// <param name="classic">Speaks the classic protocol; there also while the group speaks the other one, then without members.</param>
internal sealed class GroupProtocols(string groupId, ClassicCoordinator classic)
{
    public ClassicCoordinator Classic { get; set; } = classic;

    /// <summary>Null: the group speaks the classic protocol.</summary>
    public ConsumerCoordinator? Consumer { get; set; }

    public GroupState State => Consumer?.State ?? Classic.Group.State;

    public string ProtocolType => Consumer is null ? Classic.Group.ProtocolType : ConsumerGroupMigration.ProtocolType;

    public GroupType Type => Consumer is null ? GroupType.Classic : GroupType.Consumer;

    public GroupListing Listing => new(groupId, ProtocolType, State, Type);

    /// <summary>When the machine has something to do; <see cref="TimeSpan.MaxValue"/>: never.</summary>
    public TimeSpan NextTick => Consumer?.NextTick ?? Classic.Group.NextDeadline;

    public ClusterHappening Happening => Consumer?.Happening ?? GroupHappenings.Of(groupId, Classic.Group);

    /// <summary>Whether members read the topic of that name; null: it is gone.</summary>
    public Func<string?, bool> Readers() => Consumer is { } consumer ? consumer.Reads : GroupReaders.TopicsOf(Classic.Group).Reads;

    public GroupDescription Describe() => Consumer?.Describe() ?? GroupReaders.Describe(Classic.Group);

    /// <summary>What is to be saved now.</summary>
    /// <param name="before">What was saved last: since when the group is empty goes on.</param>
    public GroupGrainState Export(GroupGrainState before, DateTimeOffset now)
    {
        if (Consumer is { } consumer)
            return new GroupGrainState { Consumer = consumer.Group.Export(), ConsumerEmptySince = consumer.IsEmpty ? before.ConsumerEmptySince ?? now : null };
        var kept = Classic.Group.ToState();
        kept.EmptySince = kept.State != GroupState.Empty ? null : before.Classic?.EmptySince ?? now;
        return new GroupGrainState { Classic = kept };
    }
}
