namespace Granary.Abstractions.Clients;

/// <summary>What an answer means for the batch that was sent.</summary>
internal enum DeliveryVerdict : byte
{
    /// <summary>It is in the log.</summary>
    Delivered,

    /// <summary>It may or may not be in the log; sent again under the same sequence it will be, once.</summary>
    Retriable,

    /// <summary>The log has not taken it, because it waits for another sequence of this producer.</summary>
    OutOfSequence,

    /// <summary>The log knows a later epoch of this producer's id.</summary>
    Fenced,

    /// <summary>The log will never take it.</summary>
    Refused,
}

internal static class DeliveryVerdicts
{
    public static DeliveryVerdict Of(ErrorCode error) => error switch
    {
        ErrorCode.None or ErrorCode.DuplicateSequenceNumber => DeliveryVerdict.Delivered,
        ErrorCode.OutOfOrderSequenceNumber or ErrorCode.UnknownProducerId => DeliveryVerdict.OutOfSequence,
        ErrorCode.InvalidProducerEpoch or ErrorCode.ProducerFenced => DeliveryVerdict.Fenced,
        _ => IsRetriable(error) ? DeliveryVerdict.Retriable : DeliveryVerdict.Refused,
    };

    /// <summary>Whether asking again may help. An unknown error on the other side is: what a sequence guards cannot be done twice.</summary>
    public static bool IsRetriable(ErrorCode error) => error is
        ErrorCode.UnknownServerError or
        ErrorCode.CorruptMessage or
        ErrorCode.UnknownTopicOrPartition or
        ErrorCode.UnknownTopicId or
        ErrorCode.LeaderNotAvailable or
        ErrorCode.NotLeaderOrFollower or
        ErrorCode.RequestTimedOut or
        ErrorCode.BrokerNotAvailable or
        ErrorCode.ReplicaNotAvailable or
        ErrorCode.NetworkException or
        ErrorCode.NotEnoughReplicas or
        ErrorCode.NotEnoughReplicasAfterAppend or
        ErrorCode.KafkaStorageError or
        ErrorCode.FencedLeaderEpoch or
        ErrorCode.UnknownLeaderEpoch or
        ErrorCode.OffsetNotAvailable or
        ErrorCode.CoordinatorLoadInProgress or
        ErrorCode.CoordinatorNotAvailable or
        ErrorCode.NotCoordinator or
        ErrorCode.ThrottlingQuotaExceeded;
}
