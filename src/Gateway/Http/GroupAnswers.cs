using System.Text.Json.Serialization;

namespace Granary.Gateway.Http;

/// <param name="Next">What to give as after= for the next page; null: this is the last one.</param>
internal sealed record GroupListAnswer(IReadOnlyList<GroupSummary> Groups, string? Next);

/// <param name="Type">classic or consumer.</param>
internal sealed record GroupSummary(string GroupId, string Type, string ProtocolType, string State);

/// <param name="Protocol">The assignor.</param>
/// <param name="Generation">Of a group of the consumer protocol: its group epoch.</param>
internal sealed record GroupAnswer(
    string GroupId,
    string Type,
    string State,
    string ProtocolType,
    string Protocol,
    int Generation,
    SiloAnswer? Coordinator,
    IReadOnlyList<MemberAnswer> Members,
    IReadOnlyList<PositionAnswer> Offsets);

/// <param name="MemberEpoch">Of the consumer protocol; of a classic member its generation.</param>
/// <param name="Assignment">Of a classic member, as its group's leader wrote it: empty where that is no consumer's assignment, or one of too many partitions.</param>
internal sealed record MemberAnswer(string MemberId, string? InstanceId, string ClientId, string ClientHost, int MemberEpoch, IReadOnlyList<TopicPartitionAnswer> Assignment);

internal sealed record TopicPartitionAnswer(string Topic, int Partition);

/// <summary>Figures are null where the partition could not be asked.</summary>
/// <param name="LagMs">Age of the oldest record that is not consumed; 0: there is none; null: not known.</param>
internal sealed record PositionAnswer(
    string? Topic, int Partition, long CommittedOffset, string Metadata, long? LogStartOffset, long? HighWatermark, long? Lag, long? LagMs);

/// <summary>A plan where one was asked for, what was done where a plan was executed.</summary>
[JsonDerivedType(typeof(ResetPlanAnswer))]
[JsonDerivedType(typeof(ResetDoneAnswer))]
internal abstract record ResetAnswer;

/// <param name="Records">That would be read again or passed over.</param>
/// <param name="SizeBytes">Likewise; null: it could not be measured.</param>
internal sealed record ResetPlanAnswer(
    Guid PlanId, string GroupId, string? PlannedAt, int ActiveMembers, long Records, long? SizeBytes, IReadOnlyList<PlannedPartitionAnswer> Partitions) : ResetAnswer;

/// <param name="From">Null: no position.</param>
/// <param name="To">Null: no position.</param>
/// <param name="Asked">Where the target lies before it is brought within the log.</param>
/// <param name="Clamp">none, log-start or high-watermark.</param>
/// <param name="Error">Kafka's code where nothing would be done; null: none.</param>
internal sealed record PlannedPartitionAnswer(
    string Topic, int Partition, long? From, long? To, long? Asked, bool Clamped, string Clamp, long? Records, long? SizeBytes, string? Error, string? Message);

/// <param name="ResetId">The plan's id.</param>
/// <param name="WhileActive">The group had members.</param>
internal sealed record ResetDoneAnswer(Guid ResetId, string? At, string By, string Reason, bool WhileActive, IReadOnlyList<ResetChangeAnswer> Partitions) : ResetAnswer;

/// <param name="Topic">Null: it is deleted.</param>
internal sealed record ResetChangeAnswer(string? Topic, Guid TopicId, int Partition, long? From, long? To);

internal sealed record ResetHistoryAnswer(IReadOnlyList<ResetDoneAnswer> Resets);
