using Confluent.Kafka;
using Granary.Support.Histories;

namespace Granary.Chaos.Groups;

/// <summary>A group of a run: its number in the history, and how its members' clients are set up.</summary>
internal sealed record GroupTopic(ChaosTopic Topic, int Number, GroupProtocolKind Protocol)
{
    /// <summary>Shorter than a group's members may ask for by default: a member that is gone is missed while the run goes on.</summary>
    public static readonly TimeSpan SessionTimeout = HistoryChecker.SessionTimeout;

    /// <summary>The same for all members, whatever protocol each speaks.</summary>
    public string Name { get; init; } = $"group-{Number}-{Protocol}";

    /// <summary>Settings of a member that commits explicitly and is patient with a cluster that is tormented.</summary>
    public ConsumerConfig Settings()
    {
        var settings = new ConsumerConfig
        {
            BootstrapServers = Topic.Bootstrap,
            GroupId = Name,
            EnableAutoCommit = false,
            EnableAutoOffsetStore = false,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            CheckCrcs = true,
            FetchWaitMaxMs = 200,
            FetchErrorBackoffMs = 20,
            SocketTimeoutMs = 5_000,
            ReconnectBackoffMaxMs = 200,
            RetryBackoffMs = 20,
            RetryBackoffMaxMs = 200,
            TopicMetadataRefreshIntervalMs = 1_000,
            MaxPollIntervalMs = 60_000,
        };
        if (Topic.ClientLog is not null)
            settings.Debug = "cgrp,consumer,topic";
        if (Protocol == GroupProtocolKind.Consumer)
        {
            settings.GroupProtocol = GroupProtocol.Consumer;
            return settings;
        }

        settings.SessionTimeoutMs = (int)SessionTimeout.TotalMilliseconds;
        settings.HeartbeatIntervalMs = 500;
        settings.PartitionAssignmentStrategy = Protocol == GroupProtocolKind.Cooperative ? PartitionAssignmentStrategy.CooperativeSticky : PartitionAssignmentStrategy.Range;
        return settings;
    }
}
