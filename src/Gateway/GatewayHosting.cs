using Granary.Abstractions.Cluster;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Topics;
using Granary.Gateway.Hosting;
using Granary.Gateway.Http;
using Granary.Gateway.Http.Live;
using Granary.Gateway.Kafka;
using Granary.Gateway.Kafka.Apis;
using Granary.Gateway.Kafka.Fetching;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Granary.Gateway;

/// <summary>Puts the gateway together.</summary>
public static class GatewayHosting
{
    /// <summary>The meter that the gateway's metrics belong to.</summary>
    public const string MeterName = GatewayMetrics.MeterName;

    /// <summary>The sections of settings that a gateway has, in a silo and at the edge.</summary>
    internal static IReadOnlyList<SettingsSection> Sections { get; } =
    [
        SettingsSection.Of<KafkaOptions>("Kafka", options => options.Validate(), nameof(KafkaOptions.NodeId), nameof(KafkaOptions.ClusterId), nameof(KafkaOptions.IsEdge)),
        SettingsSection.Of<HttpOptions>("Http", options => options.Validate()),
        SettingsSection.Of<LiveOptions>("Live", options => options.Validate()),
    ];

    /// <summary>
    /// Adds the Kafka listener. Call it after whatever adds Orleans (a silo or a client), so that it starts later and stops sooner. Wrong
    /// options stop the start.
    /// </summary>
    public static IServiceCollection AddGranaryGateway(this IServiceCollection services, Action<KafkaOptions>? configure = null)
    {
        services.AddOptions<KafkaOptions>().Configure(configure ?? (static _ => { })).ValidateOnStart();
        services.AddSingleton<IValidateOptions<KafkaOptions>, KafkaOptionsCheck>();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<TopicDirectory>();
        services.TryAddSingleton<ClusterDirectory>();
        services.TryAddSingleton<CurrentMap>(static provider =>
        {
            var directory = provider.GetRequiredService<ClusterDirectory>();
            return () => directory.Map;
        });
        services.TryAddSingleton<LeaderTable>();
        services.TryAddSingleton<HostedPartitions>();
        services.TryAddSingleton<KnownLeaders>();
        services.TryAddSingleton<HostedMembers>();
        services.AddSingleton<ClusterFollowing>();
        services.AddMetrics();
        services.AddSingleton(static provider => provider.GetRequiredService<IOptions<KafkaOptions>>().Value);
        services.AddSingleton(static provider => new TopicAutoCreation(provider.GetRequiredService<KafkaOptions>().AutoCreateTopics));
        services.AddSingleton<SavedChanges>();
        services.AddKafkaApis();
        services.AddSingleton<GatewayMetrics>();
        services.AddSingleton<ConnectionReports>();
        services.AddOptions<LiveOptions>().ValidateOnStart();
        services.AddSingleton<IValidateOptions<LiveOptions>, LiveOptionsCheck>();
        services.AddSingleton<LiveSources>();
        services.AddSingleton<LiveFeed>();
        services.AddSingleton<KafkaListener>();
        services.AddHostedService(static provider => provider.GetRequiredService<KafkaListener>());
        return services;
    }

    private static void AddKafkaApis(this IServiceCollection services)
    {
        services.AddSingleton<ClusterView>();
        services.AddSingleton<PartitionGrains>();
        services.AddSingleton<PartitionFailures>();
        services.AddSingleton<GatewayMemory>();
        services.AddSingleton<FetchSessionCache>();
        services.AddSingleton<FetchSources>();
        services.AddSingleton<CallFailures>();
        services.AddSingleton<PartitionCalls>();
        services.AddSingleton<TopicLookup>();
        services.AddSingleton<CatalogCalls>();
        services.AddSingleton<ConfigListing>();
        services.AddSingleton<ConfigAlterations>();
        services.AddSingleton<ProduceApi>();
        services.AddSingleton<FetchApi>();
        services.AddSingleton<ListOffsetsApi>();
        services.AddSingleton<MetadataApi>();
        services.AddSingleton<FindCoordinatorApi>();
        services.AddSingleton<CreateTopicsApi>();
        services.AddSingleton<DeleteTopicsApi>();
        services.AddSingleton<DeleteRecordsApi>();
        services.AddSingleton<InitProducerIdApi>();
        services.AddSingleton<OffsetForLeaderEpochApi>();
        services.AddSingleton<DescribeConfigsApi>();
        services.AddSingleton<AlterConfigsApi>();
        services.AddSingleton<CreatePartitionsApi>();
        services.AddSingleton<IncrementalAlterConfigsApi>();
        services.AddSingleton<DescribeClusterApi>();
        services.AddSingleton<DescribeTopicPartitionsApi>();
        services.AddSingleton<GroupCalls>();
        services.AddSingleton<JoinGroupApi>();
        services.AddSingleton<SyncGroupApi>();
        services.AddSingleton<HeartbeatApi>();
        services.AddSingleton<LeaveGroupApi>();
        services.AddSingleton<OffsetCommitApi>();
        services.AddSingleton<OffsetFetchApi>();
        services.AddSingleton<OffsetDeleteApi>();
        services.AddSingleton<DescribeGroupsApi>();
        services.AddSingleton<ListGroupsApi>();
        services.AddSingleton<DeleteGroupsApi>();
        services.AddSingleton<ConsumerGroupHeartbeatApi>();
        services.AddSingleton<ConsumerGroupDescribeApi>();
        services.AddSingleton(KafkaApis.Map);
    }

    private sealed class KafkaOptionsCheck : IValidateOptions<KafkaOptions>
    {
        public ValidateOptionsResult Validate(string? name, KafkaOptions options)
        {
            var wrong = options.Validate().ToList();
            return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
        }
    }

    private sealed class LiveOptionsCheck : IValidateOptions<LiveOptions>
    {
        public ValidateOptionsResult Validate(string? name, LiveOptions options)
        {
            var wrong = options.Validate().Select(sentence => $"the live stream's {sentence}").ToList();
            return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
        }
    }
}
